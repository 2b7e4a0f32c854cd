"""Pooling of the strongest and the weakest cells of a map."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from wsolkit import Pooling

__all__ = ["WildcatPooling", "region_count", "top_and_bottom_mean"]


def region_count(k: float, cells: int) -> int:
    """Return how many cells k stands for.

    A k in (0, 1) is a share of the cells, rounded to the nearest number (halves to the even one); a k of 1 or more is a
    number of cells, at most all; 0 and less is none.

    >>> region_count(0.2, 49), region_count(1, 49), region_count(100, 49), region_count(0, 49), region_count(0.5, 5)
    (10, 1, 49, 0, 2)
    """
    if k <= 0:
        return 0
    return min(round(k * cells) if k < 1 else int(k), cells)


def top_and_bottom_mean(maps: Tensor, k_top: int, k_bottom: int, alpha: float) -> Tensor:
    """Return the mean of the k_top highest cells plus alpha times the mean of the k_bottom lowest (WILDCAT, eq. 2).

    Args:
        maps: (B, C, h, w).
        k_top: at least 1.
        k_bottom: 0 leaves the lowest out.
        alpha: weight of the lowest cells.

    Returns:
        (B, C).

    >>> top_and_bottom_mean(torch.tensor([[[[4.0, 2.0, -1.0, -3.0]]]]), 2, 1, alpha=0.5).tolist()
    [[1.5]]
    """
    cells = maps.flatten(2)
    score = cells.topk(k_top, dim=2, sorted=False).values.mean(2)
    if k_bottom > 0:
        score = score + alpha * cells.topk(k_bottom, dim=2, largest=False, sorted=False).values.mean(2)
    return score


class WildcatPooling(Pooling):
    """Averages the highest cells of a map and adds a part of the mean of the lowest (Durand et al. 2017, eq. 2).

    The lowest cells are evidence against a class. Where they count, the sum is halved, as in the authors' code.

    Args:
        kmax: how many of the highest cells: a share in (0, 1), or a number from 1 on.
        kmin: how many of the lowest; as ``kmax`` by default, 0 leaves them out.
        alpha: weight of the lowest cells.
        normalize: halve the sum where ``kmin`` is above 0; ``False`` gives the equation's own sum.

    Raises:
        ConfigError: ``kmax`` is not positive, or ``kmin`` negative.
    """

    def __init__(
        self,
        kmax: Annotated[float, "above 0"] = 0.2,
        kmin: Annotated[float, "at least 0"] | None = None,
        alpha: float = 0.7,
        normalize: bool = True,
    ) -> None:
        super().__init__()
        self.kmax = kmax
        self.kmin = kmax if kmin is None else kmin
        self.alpha = alpha
        self.normalize = normalize

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps (B, C, h, w) to scores (B, C); at least one of the highest cells counts."""
        cells = maps.shape[2] * maps.shape[3]
        bottom = region_count(self.kmin, cells)
        with torch.autocast(maps.device.type, enabled=False):
            score = top_and_bottom_mean(maps.float(), max(region_count(self.kmax, cells), 1), bottom, self.alpha)
        return score / 2 if self.normalize and bottom > 0 else score
