"""Where a map is sure of itself, and how far another map is from it there."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Reduction", "confidence_mask", "inner_distance"]

Reduction = Literal["mean", "sum"]


@torch.no_grad()
def confidence_mask(maps: Tensor) -> Tensor:
    """Return 1 where a map is further from its mean than cells are on average, else 0 (CSoA, eq. 2 to 4).

    Both sides count: sure foreground and sure background. The mask is a constant, without gradient.

    Args:
        maps: (B, h, w) of any range.

    Returns:
        (B, h, w) of zeros and ones, in the type of the maps.

    >>> confidence_mask(torch.tensor([[[0.0, 4.0], [5.0, 11.0]]])).tolist()  # mean 5, distances 5 1 0 6, their mean 3
    [[[1.0, 0.0], [0.0, 1.0]]]
    """
    distance = (maps - maps.mean((1, 2), keepdim=True)).abs()
    return (distance > distance.mean((1, 2), keepdim=True)).to(maps.dtype)


def inner_distance(late: Tensor, early: Tensor, reduction: str = "mean") -> Tensor:
    """Return how far early maps are from late ones where the late ones are sure (CSoA, eq. 5), averaged over maps.

    Args:
        late: S_L of the labelled classes, (P, h, w).
        early: S_F of the same classes, (P, h', w'); resized bilinearly to h x w where the size differs.
        reduction: ``mean`` over the sure cells of a map, or their ``sum`` as printed.

    Returns:
        A scalar; 0 where there are no maps.

    >>> late = torch.tensor([[[0.0, 4.0], [5.0, 11.0]]])
    >>> early = torch.tensor([[[1.0, 0.0], [0.0, 8.0]]])
    >>> float(inner_distance(late, early)), float(inner_distance(late, early, "sum"))
    (2.0, 4.0)
    """
    if early.shape[-2:] != late.shape[-2:]:
        size = (late.shape[-2], late.shape[-1])
        early = F.interpolate(early[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]
    mask = confidence_mask(late)
    totals = ((early - late).abs() * mask).sum((1, 2))  # (P,)
    if reduction == "mean":
        totals = totals / mask.sum((1, 2)).clamp_min(1)
    return totals.sum() / max(len(totals), 1)
