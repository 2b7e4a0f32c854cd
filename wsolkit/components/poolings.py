"""Poolings over the cells of a map: mean, maximum and the smooth way between them."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from wsolkit.interfaces import Pooling

__all__ = ["AveragePooling", "LogSumExpPooling", "MaxPooling", "log_sum_exp"]


def log_sum_exp(maps: Tensor, sharpness: float = 1.0) -> Tensor:
    """Pool maps (B, C, h, w) to log(mean(exp(r x))) / r, (B, C), with sharpness r (Pinheiro & Collobert 2015, eq. 6).

    It tends to the mean for r to 0 and to the maximum for large r.

    >>> round(log_sum_exp(torch.tensor([[[[0.0, 1.0]]]]), 1e-3).item(), 3)
    0.5
    >>> round(log_sum_exp(torch.tensor([[[[0.0, 1.0]]]]), 1e3).item(), 2)
    1.0
    """
    flat = maps.flatten(2) * sharpness
    return (torch.logsumexp(flat, dim=2) - math.log(flat.shape[2])) / sharpness


class AveragePooling(Pooling):
    """Global average pooling: the mean over the cells (Lin et al. 2014)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps (B, C, h, w) to scores (B, C)."""
        return maps.mean((2, 3))


class MaxPooling(Pooling):
    """Global max pooling: the best cell (Oquab et al. 2015)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps (B, C, h, w) to scores (B, C)."""
        return maps.amax((2, 3))


class LogSumExpPooling(Pooling):
    """A smooth maximum, see ``log_sum_exp``.

    Args:
        sharpness: r; 5 as in Pinheiro & Collobert (2015).

    Raises:
        ConfigError: ``sharpness`` is not positive.
    """

    def __init__(self, sharpness: Annotated[float, "above 0"] = 5.0) -> None:
        super().__init__()
        self.sharpness = sharpness

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps (B, C, h, w) to scores (B, C)."""
        return log_sum_exp(maps, self.sharpness)
