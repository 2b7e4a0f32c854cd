"""How much boxes overlap.

Conventions: boxes are x0 y0 x1 y1, half open (no +1 on widths). IoU does not change when both boxes are scaled by the
same factors in x and y, so it may be computed in pixels of the map, of the network input or of the original image.
"""

from __future__ import annotations

import numpy as np

__all__ = ["best_iou", "box_iou"]


def box_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of boxes (N, 4) with others (M, 4), as (N, M) float64.

    An empty box overlaps nothing.

    >>> box_iou(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
    [[0.333, 0.0]]
    """
    a = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    b = np.asarray(others, dtype=np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    area_a = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(-1)
    area_b = np.clip(b[:, 2:] - b[:, :2], 0, None).prod(-1)
    union = area_a[:, None] + area_b[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def best_iou(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return for each box (N, 4) its best overlap with any true box (M, 4), as (N,); 0 where there is no true box.

    >>> best_iou(np.array([[0, 0, 2, 2]]), np.zeros((0, 4))).tolist()
    [0.0]
    """
    return box_iou(boxes, truth).max(axis=1, initial=0.0)
