"""Cells of a map that look at each other."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

__all__ = ["attend"]


def attend(theta: Tensor, phi: Tensor, g: Tensor) -> Tensor:
    """Return the mean of g over all cells, weighed by the softmax of theta's likeness to phi.

    The likeness is the plain inner product, without the division by a square root that transformers have (Wang et al.,
    CVPR 2018, equation 6; Fu et al., CVPR 2019, equations 1 and 2).

    Args:
        theta: (B, D, h, w), what each cell asks.
        phi: (B, D, h', w'), what each cell answers.
        g: (B, C, h', w'), what each cell gives.

    Returns:
        (B, C, h, w).

    >>> import torch
    >>> maps = torch.tensor([[[[0.0, 30.0]]]])
    >>> attend(maps, maps, maps).flatten().tolist()
    [15.0, 30.0]
    """
    query, key, value = (each.flatten(2).mT[:, None].contiguous() for each in (theta, phi, g))  # (B, 1, cells, C)
    found = F.scaled_dot_product_attention(query, key, value, scale=1.0)
    return found[:, 0].mT.unflatten(2, theta.shape[2:])
