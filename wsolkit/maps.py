"""From raw maps to score maps in [0, 1] at the size of the network input."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit.errors import ConfigError, MapError

__all__ = ["finish_maps", "normalize_maps", "resize_maps"]

RESIZE = ("bicubic", "bilinear", "none")
NORMALIZE = ("minmax", "max", "none")


def resize_maps(maps: Tensor, size: tuple[int, int], mode: str = "bicubic") -> Tensor:
    """Resize maps (..., h, w) to ``size`` = (H, W); bicubic may overshoot the range of the cells.

    >>> resize_maps(torch.ones(2, 7, 7), (14, 14)).shape
    torch.Size([2, 14, 14])
    """
    if mode not in RESIZE:
        raise ConfigError(f"resize should be one of {RESIZE}, but got {mode!r}.")
    if mode == "none" or tuple(maps.shape[-2:]) == tuple(size):
        return maps
    flat = maps.reshape(1, -1, *maps.shape[-2:])
    resized = F.interpolate(flat, size=size, mode=mode, align_corners=False)
    return resized.reshape(*maps.shape[:-2], *size)


def normalize_maps(maps: Tensor, mode: str = "minmax") -> Tensor:
    """Bring each map (..., h, w) to [0, 1]; a constant map becomes all zeros.

    ``minmax`` maps the smallest score to 0 and the largest to 1, ``max`` cuts negative scores off and divides by the
    largest, ``none`` only clamps.

    Raises:
        MapError: a map holds NaN or infinity.

    >>> normalize_maps(torch.tensor([[1.0, 2.0, 3.0]])).tolist()
    [[0.0, 0.5, 1.0]]
    >>> normalize_maps(torch.full((2, 2), 7.0)).sum().item()
    0.0
    """
    if mode not in NORMALIZE:
        raise ConfigError(f"normalize should be one of {NORMALIZE}, but got {mode!r}.")
    finite = torch.isfinite(maps).flatten(-2).all(-1)
    if not bool(finite.all()):
        bad = torch.nonzero(~finite.reshape(-1)).flatten().tolist()
        raise MapError(
            f"{len(bad)} of {finite.numel()} score maps hold NaN or infinity (number {bad[0]} is the first): "
            "the model has diverged. Lower the learning rate, or take an earlier checkpoint."
        )
    if mode == "none":
        return maps.clamp(0, 1)
    low = maps.amin((-2, -1), keepdim=True) if mode == "minmax" else torch.zeros_like(maps[..., :1, :1])
    above = (maps - low).clamp_min(0)
    span = above.amax((-2, -1), keepdim=True)
    # Resizing a constant map leaves rounding noise: a span of a few units in the last place is no signal.
    noise = 4 * torch.finfo(maps.dtype).eps * maps.abs().amax((-2, -1), keepdim=True)
    return torch.where(span > noise, above / span.clamp_min(torch.finfo(maps.dtype).tiny), torch.zeros_like(above))


def finish_maps(maps: Tensor, size: tuple[int, int], resize: str = "bicubic", normalize: str = "minmax") -> Tensor:
    """Resize raw maps (..., h, w) to ``size`` = (H, W) and bring each to [0, 1], in float32."""
    return normalize_maps(resize_maps(maps.float(), size, resize), normalize)
