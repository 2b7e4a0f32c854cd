"""From raw maps to score maps in [0, 1] at the size of the network input."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit.errors import MapError, one_of

__all__ = ["MapNormalize", "MapResize", "finish_maps", "normalize_maps", "resize_maps"]

MapResize = Literal["bicubic", "bilinear", "none"]
"""How cells become pixels."""

MapNormalize = Literal["minmax", "max", "none"]
"""How scores become numbers in [0, 1]."""


def resize_maps(maps: Tensor, size: tuple[int, int], mode: MapResize = "bicubic") -> Tensor:
    """Resize maps (..., h, w) to ``size`` = (H, W); bicubic may overshoot the range of the cells.

    >>> resize_maps(torch.ones(2, 7, 7), (14, 14)).shape
    torch.Size([2, 14, 14])
    """
    one_of("resize", mode, get_args(MapResize))
    if mode == "none" or tuple(maps.shape[-2:]) == tuple(size):
        return maps
    rows, columns = (
        resize_matrix(int(cells), pixels, mode, maps.dtype, maps.device)
        for cells, pixels in zip(maps.shape[-2:], size, strict=True)
    )
    with torch.autocast(maps.device.type, enabled=False):
        return rows @ maps @ columns.T


@lru_cache(maxsize=32)
def resize_matrix(cells: int, pixels: int, mode: str, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the matrix (pixels, cells) that resizes one axis as ``F.interpolate`` does (half-pixel centres).

    Both modes are linear and separable, so two products with small matrices resize a map, 30 times as fast as the
    general routine on a CPU.

    >>> resize_matrix(1, 3, "bilinear", torch.float32, torch.device("cpu")).tolist()
    [[1.0], [1.0], [1.0]]
    """
    basis = torch.eye(cells, dtype=torch.float64)[None, :, :, None]  # one map per cell, (1, cells, cells, 1)
    columns = F.interpolate(basis, size=(pixels, 1), mode=mode, align_corners=False)[0, :, :, 0]
    return columns.T.to(dtype).to(device)


def normalize_maps(maps: Tensor, mode: MapNormalize = "minmax") -> Tensor:
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
    one_of("normalize", mode, get_args(MapNormalize))
    lowest, highest = extremes(maps)
    finite = torch.isfinite(lowest) & torch.isfinite(highest)
    if not bool(finite.all()):
        bad = torch.nonzero(~finite.reshape(-1)).flatten().tolist()
        raise MapError(
            f"{len(bad)} of {finite.numel()} score maps hold NaN or infinity (number {bad[0]} is the first): "
            "the model has diverged. Lower the learning rate, or take an earlier checkpoint."
        )
    return between(maps, lowest, highest, mode)


def extremes(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the smallest and the largest score of each map (..., h, w), as (..., 1, 1); NaN wins in both."""
    return maps.amin((-2, -1), keepdim=True), maps.amax((-2, -1), keepdim=True)


def between(maps: Tensor, lowest: Tensor, highest: Tensor, mode: MapNormalize) -> Tensor:
    """Return maps in [0, 1] by their extremes, as ``normalize_maps`` says, of tensor operations alone."""
    if mode == "none":
        return maps.clamp(0, 1)
    low = lowest if mode == "minmax" else torch.zeros_like(lowest)
    span = (highest - low).clamp_min(0)
    # Resizing a constant map leaves rounding noise: a span of a few units in the last place is no signal.
    noise = 8 * torch.finfo(maps.dtype).eps * torch.maximum(lowest.abs(), highest.abs())
    return ((maps - low) / torch.where(span > noise, span, torch.inf)).clamp_(0, 1)


def finish_maps(
    maps: Tensor, size: tuple[int, int], resize: MapResize = "bicubic", normalize: MapNormalize = "minmax"
) -> Tensor:
    """Resize raw maps (..., h, w) to ``size`` = (H, W) and bring each to [0, 1], in float32."""
    return normalize_maps(resize_maps(maps.float(), size, resize), normalize)
