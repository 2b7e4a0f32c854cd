"""A class map as a soft mask over the image."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from wsolkit import one_of

__all__ = ["MaskNorm", "soft_mask"]

MaskNorm = Literal["minmax", "sigmoid", "none"]


def soft_mask(maps: Tensor, norm: MaskNorm = "minmax") -> Tensor:
    """Turn class maps (B, h, w) of any range into soft masks, with gradients.

    Args:
        maps: (B, h, w).
        norm: ``minmax`` takes the least score of each map to 0 and the largest to 1, and a constant map to zeros;
            ``sigmoid`` squashes; ``none`` takes the scores as they are, as the paper writes.

    Raises:
        ConfigError: the norm is unknown.

    >>> soft_mask(torch.tensor([[[-2.0, 0.0, 6.0]]])).tolist()
    [[[0.0, 0.25, 1.0]]]
    """
    one_of("mask_norm of CoAug", norm, get_args(MaskNorm))
    if norm == "sigmoid":
        return torch.sigmoid(maps)
    if norm == "none":
        return maps
    lowest, highest = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    noise = 8 * torch.finfo(maps.dtype).eps * torch.maximum(lowest.abs(), highest.abs())
    span = highest - lowest
    return (maps - lowest) / torch.where(span > noise, span, torch.inf)
