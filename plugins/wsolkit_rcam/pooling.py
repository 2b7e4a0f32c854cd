"""Average pooling in which strong cells weigh more: each channel is weighed by its own softmax over the cells."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from wsolkit import Pooling

__all__ = ["SoftmaxWeightedPooling", "softmax_weighted_average"]


def softmax_weighted_average(maps: Tensor, temperature: float = 1.0) -> Tensor:
    """Return the sum over cells of each channel times its spatial softmax, (B, C) float32 (RCAM, eq. 18 and 19).

    Args:
        maps: (B, C, h, w).
        temperature: the softmax is of maps / temperature; large ones give the mean, small ones the maximum.

    >>> import math
    >>> maps = torch.tensor([[[[0.0, math.log(3.0)]]]])  # weights 1/4 and 3/4
    >>> round(float(softmax_weighted_average(maps)), 4), round(0.75 * math.log(3.0), 4)
    (0.824, 0.824)
    """
    cells = maps.float().flatten(2)  # (B, C, h * w)
    return (cells * torch.softmax(cells / temperature, dim=2)).sum(2)


class SoftmaxWeightedPooling(Pooling):
    """Averages the cells of each channel with the weights of its spatial softmax (WGAP of RCAM).

    Args:
        temperature: of the softmax; 1 in the thesis.
        divide_by_area: divide by h * w as well, as equation 19 says. The weights already add up to 1, so this makes
            the scores h * w times smaller (196 times at 14 x 14) and changes nothing else.

    Raises:
        ConfigError: the temperature is not positive.
    """

    def __init__(self, temperature: Annotated[float, "above 0"] = 1.0, divide_by_area: bool = False) -> None:
        super().__init__()
        self.temperature = temperature
        self.divide_by_area = divide_by_area

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps (B, C, h, w) to scores (B, C)."""
        with torch.autocast(maps.device.type, enabled=False):
            pooled = softmax_weighted_average(maps, self.temperature)
        return pooled / (maps.shape[2] * maps.shape[3]) if self.divide_by_area else pooled
