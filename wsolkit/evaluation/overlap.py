"""How much boxes overlap.

Conventions: boxes are x0 y0 x1 y1, half open (no +1 on widths). IoU does not change when both boxes are scaled by the
same factors in x and y, so it may be computed in pixels of the map, of the network input or of the original image.
``inclusive_iou`` is for boxes whose ends are pixels inside the box, as wsolevaluation has them: 1 is added to widths
and heights there.
"""

from __future__ import annotations

import numpy as np

__all__ = ["best_iou", "box_iou", "inclusive_iou", "paired_iou", "shared_area"]


def shared_area(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the area that boxes (N, 4) share with others (M, 4), as (N, M) float64.

    >>> shared_area(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 3, 2], [5, 5, 6, 6]])).tolist()
    [[2.0, 0.0]]
    """
    a = np.asarray(boxes, dtype=np.float64).reshape(-1, 1, 4)
    b = np.asarray(others, dtype=np.float64).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.clip(sides, 0, None).prod(-1)


def box_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of boxes (N, 4) with others (M, 4), as (N, M) float64.

    An empty box overlaps nothing.

    >>> box_iou(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
    [[0.333, 0.0]]
    """
    a = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    b = np.asarray(others, dtype=np.float64).reshape(-1, 4)
    shared = shared_area(a, b)
    area_a = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(-1)
    area_b = np.clip(b[:, 2:] - b[:, :2], 0, None).prod(-1)
    union = area_a[:, None] + area_b[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def paired_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the overlap of each box (..., 4) with the other in its place (..., 4).

    >>> paired_iou(np.array([0, 0, 2, 2]), np.array([[1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
    [0.333, 0.0]
    """
    sides = np.minimum(boxes[..., 2:], others[..., 2:]) - np.maximum(boxes[..., :2], others[..., :2])
    shared = sides.clip(0).prod(-1)
    union = (boxes[..., 2:] - boxes[..., :2]).prod(-1) + (others[..., 2:] - others[..., :2]).prod(-1) - shared
    return np.divide(shared, union, out=np.zeros(np.shape(shared), np.float64), where=union > 0)


def inclusive_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the IoU (N, M) of boxes whose ends lie inside them, with 1 added to every side (wsolevaluation).

    >>> inclusive_iou(np.array([[0, 0, 1, 1]]), np.array([[1, 0, 2, 1]])).round(3).tolist()
    [[0.333]]
    """
    end = np.array([0, 0, 1, 1])
    return box_iou(np.reshape(boxes, (-1, 4)) + end, np.reshape(others, (-1, 4)) + end)


def best_iou(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return for each box (N, 4) its best overlap with any true box (M, 4), as (N,); 0 where there is no true box.

    >>> best_iou(np.array([[0, 0, 2, 2]]), np.zeros((0, 4))).tolist()
    [0.0]
    """
    return box_iou(boxes, truth).max(axis=1, initial=0.0)
