"""Poolings over the cells of a map: mean, maximum, the smooth way between them, and the mean of the strongest cells."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from wsolkit.interfaces import Pooling

__all__ = [
    "AveragePooling",
    "LogSumExpPooling",
    "MaxPooling",
    "TopCellsPooling",
    "log_sum_exp",
    "mean_of_top_cells",
]


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


def mean_of_top_cells(maps: Tensor, share: float) -> Tensor:
    """Pool maps (B, C, h, w) to the mean of the highest ``share`` of their cells, at least one, (B, C).

    >>> mean_of_top_cells(torch.tensor([[[[4.0, 2.0, -1.0, -3.0]]]]), share=0.5).tolist()
    [[3.0]]
    """
    cells = maps.flatten(2)
    count = max(1, round(share * int(cells.shape[2])))
    return cells.topk(count, dim=2, sorted=False).values.mean(2)


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


class TopCellsPooling(Pooling):
    """The mean of the highest cells: what a small thing needs, of which an average over the image says nothing.

    With a share of 1 it is average pooling, with one cell max pooling. WILDCAT's pooling without its lowest cells.

    Args:
        share: the part of the cells that counts; at least one does.

    Raises:
        ConfigError: ``share`` is not in (0, 1].
    """

    def __init__(self, share: Annotated[float, "in (0, 1]"] = 0.02) -> None:
        super().__init__()
        self.share = share

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps (B, C, h, w) to scores (B, C)."""
        return mean_of_top_cells(maps, self.share)
