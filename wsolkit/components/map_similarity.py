"""How much alike the several maps of one class are."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["mean_cosine"]


def mean_cosine(maps: Tensor, eps: float = 1e-8) -> Tensor:
    """Return the mean cosine similarity between the M maps of each class, in [-1 / (M - 1), 1].

    A map of zeros has the cosine 0 with all, and no gradient.

    Args:
        maps: (B, K, M, h, w), M at least 2.
        eps: least length of a map.

    Returns:
        (B, K).

    >>> mean_cosine(torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]]).view(1, 1, 3, 1, 2)).tolist()
    [[0.3333333432674408]]
    """
    cells = maps.flatten(3)  # (B, K, M, h*w)
    lengths = cells.norm(dim=3, keepdim=True)
    directions = torch.where(lengths > eps, cells / lengths.clamp(min=eps), 0.0)  # a short map has no gradient either
    count = maps.shape[2]
    own = directions.square().sum((2, 3))  # M, less the maps of zeros
    return (directions.sum(2).square().sum(2) - own) / (count * (count - 1))
