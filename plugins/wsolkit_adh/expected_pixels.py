"""Where a map is strong: the spatial softmax, the pixel one expects under it, and squares around pixels."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["default_block_size", "outside_squares", "peak_pixels", "soft_argmax", "spatial_softmax"]


def spatial_softmax(maps: Tensor, temperature: float = 1.0) -> Tensor:
    """Return the softmax over the cells of each map, (..., h, w) float32 (ADH, eq. 13).

    Args:
        maps: (..., h, w).
        temperature: the softmax is of maps / temperature; small ones sharpen it.

    >>> import math
    >>> [round(value, 4) for value in spatial_softmax(torch.tensor([[0.0, math.log(3.0)]]))[0].tolist()]
    [0.25, 0.75]
    """
    cells = maps.float().flatten(-2)
    if temperature != 1:
        cells = cells / temperature
    return torch.softmax(cells, dim=-1).view(maps.shape)


def soft_argmax(probabilities: Tensor) -> Tensor:
    """Return the expected row and column under probabilities over cells.

    It is the mean of the cells, not a peak: between two equal blobs it lies where neither is.

    Args:
        probabilities: (..., h, w), each map adding up to 1.

    Returns:
        (..., 2): row and column, in cells, whole numbers at the centres of cells.

    >>> soft_argmax(torch.tensor([[0.0, 0.25], [0.0, 0.75]])).tolist()
    [0.75, 1.0]
    """
    height, width = probabilities.shape[-2:]
    rows = torch.arange(height, device=probabilities.device, dtype=probabilities.dtype)
    columns = torch.arange(width, device=probabilities.device, dtype=probabilities.dtype)
    return torch.stack([(probabilities.sum(-1) * rows).sum(-1), (probabilities.sum(-2) * columns).sum(-1)], dim=-1)


def peak_pixels(maps: Tensor) -> Tensor:
    """Return row and column of the strongest cell of each map (..., h, w), (..., 2) float32.

    >>> peak_pixels(torch.tensor([[1.0, 2.0], [0.0, 5.0]])).tolist()
    [1.0, 1.0]
    """
    best = maps.flatten(-2).argmax(-1)
    width = maps.shape[-1]
    return torch.stack([best // width, best % width], dim=-1).float()


def outside_squares(pixels: Tensor, size: tuple[int, int], block_size: int) -> Tensor:
    """Tell the cells that lie in none of the squares around some pixels; squares are cut off at the border.

    Args:
        pixels: (B, P, 2) rows and columns, rounded to the nearest cell (halves to the even one).
        size: (h, w) of the map.
        block_size: odd side of the squares in cells.

    Returns:
        (B, h, w) bool.

    >>> outside_squares(torch.tensor([[[0.2, 1.6]]]), (2, 5), 3).int().tolist()
    [[[1, 0, 0, 0, 1], [1, 0, 0, 0, 1]]]
    """
    centres = pixels.round()
    reach = block_size // 2
    rows = torch.arange(size[0], device=pixels.device)
    columns = torch.arange(size[1], device=pixels.device)
    near_rows = (rows - centres[..., :1]).abs() <= reach  # (B, P, h)
    near_columns = (columns - centres[..., 1:]).abs() <= reach  # (B, P, w)
    return ~(near_rows[..., :, None] & near_columns[..., None, :]).any(1)


def default_block_size(size: tuple[int, int]) -> int:
    """Return the side of the squares where none is given: the largest odd number up to a quarter of the shorter side.

    >>> [default_block_size((side, side)) for side in (56, 28, 14, 7, 2)]
    [13, 7, 3, 1, 1]
    """
    quarter = min(size) // 4
    return max(quarter - (quarter + 1) % 2, 1)
