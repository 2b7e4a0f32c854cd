"""Boxes carried from an image of one size to the same image of another."""

from __future__ import annotations

import numpy as np

__all__ = ["scale_boxes"]


def scale_boxes(boxes: np.ndarray, source: tuple[int, int], target: tuple[int, int]) -> np.ndarray:
    """Carry boxes (N, 4) from an image of size ``source`` to one of ``target``, both (width, height), clipped to it.

    >>> scale_boxes(np.array([[10, 10, 20, 30.0]]), (100, 100), (200, 50)).tolist()
    [[20.0, 5.0, 40.0, 15.0]]
    """
    width, height = target
    scale = np.array([width / source[0], height / source[1]] * 2, dtype=np.float64)
    return np.clip(boxes * scale, 0, np.array([width, height] * 2, dtype=np.float64))
