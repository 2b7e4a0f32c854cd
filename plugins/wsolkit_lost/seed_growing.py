"""LOST: the cell that is like fewest others is of the object, and so are those it correlates with."""

from __future__ import annotations

import torch
from torch import Tensor

from wsolkit.components import component_of

__all__ = ["degrees_of", "grow", "lost"]


def degrees_of(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the correlations of all cells, and with how many each correlates positively (LOST, section 3.2).

    Args:
        features: (B, C, h, w).

    Returns:
        Correlations (B, n, n) of the n = h * w cells, their inner products in float32; degrees (B, n).

    >>> features = torch.tensor([[[[1.0, 2.0, -1.0]], [[0.0, 0.1, 0.5]]]])
    >>> degrees_of(features)[1].tolist()
    [[2, 2, 1]]
    """
    cells = features.float().flatten(2)  # (B, C, n)
    correlations = cells.transpose(1, 2) @ cells
    return correlations, (correlations >= 0).sum(-1)


def grow(correlations: Tensor, degrees: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return how far each cell correlates with the seed and those like it (LOST, sections 3.2 to 3.4).

    The seed is the cell of the least degree. Of the k cells of the least degrees, those that correlate positively with
    it join it. A cell is of the object where its correlations with all of these add up to more than 0.

    Args:
        correlations: (B, n, n).
        degrees: (B, n).
        k: how many cells may join.

    Returns:
        Sums (B, n), and the seeds (B,).
    """
    order = degrees.argsort(dim=-1, stable=True)  # of cells with one degree the first
    seeds = order[:, 0]
    candidates = torch.zeros_like(degrees, dtype=torch.bool).scatter_(1, order[:, :k], True)
    of_seed = correlations.gather(1, seeds[:, None, None].expand(-1, 1, correlations.shape[-1]))[:, 0]  # (B, n)
    joined = candidates & (of_seed >= 0)
    return (correlations * joined[:, None, :]).sum(-1), seeds


def lost(features: Tensor, k: int = 100, soft: bool = False, component: bool = True) -> Tensor:
    """Return the object that LOST finds in each image.

    Args:
        features: (B, C, h, w).
        k: how many cells of the least degrees may join the seed.
        soft: the sum of a cell's correlations, in the place of 1.
        component: keep the component of the seed alone.

    Returns:
        (B, h, w), float32: 0 in the background.
    """
    height, width = features.shape[-2:]
    sums, seeds = grow(*degrees_of(features), k)
    maps = sums.clamp_min(0).unflatten(1, (height, width))
    if component:
        maps = maps * torch.stack([component_of(each > 0, int(seed)) for each, seed in zip(maps, seeds, strict=True)])
    return maps if soft else (maps > 0).float()
