"""Which component counts at each cut of a map, and how well its box overlaps the truth.

A component lives at the cuts from ``low`` up to, not including, ``high``; see ``component_tree``. The kernels are
compiled by numba when they are first called, kept in its cache, and release the interpreter's lock.
"""

from __future__ import annotations

import numpy as np

from wsolkit.kernels import compiled

__all__ = ["best_boxes", "chosen_boxes", "ended", "largest_at"]


@compiled()
def ended(bounds: np.ndarray, holes_from: int, height: int, width: int, cut_off: bool) -> np.ndarray:
    """Return boxes as ``end_boxes`` does: exclusive ends, cut off at the last pixel or not; around the holes."""
    boxes = np.empty_like(bounds)
    for number in range(len(bounds)):
        around = 1 if number >= holes_from else 0  # the contour of a hole runs around it
        boxes[number, 0] = bounds[number, 0] - around
        boxes[number, 1] = bounds[number, 1] - around
        x1, y1 = bounds[number, 2] + 1 + around, bounds[number, 3] + 1 + around
        boxes[number, 2] = min(x1, width - 1) if cut_off else x1
        boxes[number, 3] = min(y1, height - 1) if cut_off else y1
    return boxes


@compiled()
def best_iou_of(x0: int, y0: int, x1: int, y1: int, truth: np.ndarray, extra: float) -> float:
    """Return the best IoU of a box with any true box (M, 4), sides longer by ``extra``."""
    best = 0.0
    area = (x1 - x0 + extra) * (y1 - y0 + extra)
    for other in range(len(truth)):
        wide = min(x1, truth[other, 2]) - max(x0, truth[other, 0]) + extra
        high = min(y1, truth[other, 3]) - max(y0, truth[other, 1]) + extra
        if wide > 0 and high > 0:
            whole = (truth[other, 2] - truth[other, 0] + extra) * (truth[other, 3] - truth[other, 1] + extra)
            best = max(best, wide * high / (area + whole - wide * high))
    return best


@compiled()
def chosen_boxes(
    which: np.ndarray, bounds: np.ndarray, truth: np.ndarray, height: int, width: int, parity: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return IoU (cuts,) and box (cuts, 4) of the component of each cut; all 0 where there is none."""
    ends = np.zeros((len(which), 4), np.int32)
    ious = np.zeros(len(which))
    for cut in range(len(which)):
        if which[cut] >= 0:
            ends[cut] = ended(bounds[which[cut] : which[cut] + 1], 1, height, width, parity)[0]
        if which[cut] >= 0 or parity:
            x0, y0, x1, y1 = ends[cut, 0], ends[cut, 1], ends[cut, 2], ends[cut, 3]
            ious[cut] = best_iou_of(x0, y0, x1, y1, truth, 1.0 if parity else 0.0)
    return ious, ends


@compiled()
def best_boxes(
    low: np.ndarray,
    high: np.ndarray,
    bounds: np.ndarray,
    holes: int,
    truth: np.ndarray,
    height: int,
    width: int,
    parity: bool,
    cuts: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return IoU (cuts,) and box (cuts, 4) of the component or hole that overlaps best at each cut; 0 without any."""
    ends = np.zeros((cuts, 4), np.int32)
    ious = np.full(cuts, -1.0)
    extra = 1.0 if parity else 0.0
    for number in range(len(low)):
        around = 1 if number >= len(low) - holes else 0  # the contour of a hole runs around it
        x0, y0 = bounds[number, 0] - around, bounds[number, 1] - around
        x1, y1 = bounds[number, 2] + 1 + around, bounds[number, 3] + 1 + around
        if parity:
            x1, y1 = min(x1, width - 1), min(y1, height - 1)
        iou = best_iou_of(x0, y0, x1, y1, truth, extra)
        for cut in range(low[number], min(high[number], cuts)):
            if iou > ious[cut]:
                ious[cut] = iou
                ends[cut, 0], ends[cut, 1], ends[cut, 2], ends[cut, 3] = x0, y0, x1, y1
    nothing_found = best_iou_of(0, 0, 0, 0, truth, extra) if parity else 0.0
    for cut in range(cuts):
        if ious[cut] < 0:
            ious[cut] = nothing_found
    return ious, ends


@compiled()
def largest_at(
    low: np.ndarray, high: np.ndarray, size: np.ndarray, first: np.ndarray, last_of_equals: bool, cuts: int
) -> np.ndarray:
    """Return which component (cuts,) is largest at each cut, -1 where there is none; of equals the first or last."""
    which = np.full(cuts, -1, np.int64)
    for number in range(len(low)):
        for cut in range(low[number], min(high[number], cuts)):
            kept = which[cut]
            if (
                kept < 0
                or size[number] > size[kept]
                or (size[number] == size[kept] and (first[number] > first[kept]) == last_of_equals)
            ):
                which[cut] = number
    return which
