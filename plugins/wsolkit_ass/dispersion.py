"""How scattered a set of cells is: the variance of their coordinates, and the pieces they fall into."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

__all__ = ["component_counts", "coordinate_variance", "uniform_variance"]


def coordinate_variance(cells: Tensor) -> Tensor:
    """Return Var(X) + Var(Y) of the chosen cells of each image, in cells squared (ASS, first part of eq. 12).

    Variances are those of the cells themselves (divided by their number); of no cell it is 0.

    Args:
        cells: (B, h, w) bool.

    Returns:
        (B,) float32.

    >>> coordinate_variance(torch.tensor([[[True, False, True], [False, False, False]]])).tolist()
    [1.0]
    """
    number = cells.sum((1, 2)).clamp(min=1).float()
    total = torch.zeros_like(number)
    for axis in (1, 2):
        counts = cells.sum(3 - axis).float()  # (B, h) or (B, w): chosen cells in each row or column
        places = torch.arange(counts.shape[1], device=cells.device, dtype=counts.dtype)
        mean = (counts * places).sum(1) / number
        total += (counts * (places - mean[:, None]).square()).sum(1) / number
    return total


def uniform_variance(height: int, width: int) -> float:
    """Return Var(X) + Var(Y) of all cells of a map.

    >>> uniform_variance(28, 28), uniform_variance(14, 14)
    (130.5, 32.5)
    """
    return (height * height - 1 + width * width - 1) / 12


def component_counts(cells: Tensor) -> Tensor:
    """Return the number of 8-connected pieces of the chosen cells of each image (P of ASS, eq. 12).

    Args:
        cells: (B, h, w) bool.

    Returns:
        (B,) float32 on the device of the cells.

    >>> component_counts(torch.tensor([[[True, False, True], [False, True, False], [False, False, False]]])).tolist()
    [1.0]
    """
    images = cells.cpu().numpy().astype(np.uint8)
    counts = [cv2.connectedComponents(image, connectivity=8)[0] - 1 for image in images]
    return torch.tensor(counts, dtype=torch.float32, device=cells.device)
