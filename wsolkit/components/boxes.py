"""Boxes around the connected components of a thresholded score map.

Conventions: a pixel is inside where its score is strictly larger than the threshold times the map's maximum;
components are 8-connected and measured in pixels; boxes are half open; a map without any inside pixel gives no box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import cv2
import numpy as np

from wsolkit.errors import MapError
from wsolkit.evaluation.map_boxes import largest_boxes
from wsolkit.evaluation.thresholds import check_thresholds
from wsolkit.interfaces import BoxExtractor, ScoredBoxes

__all__ = ["AllComponents", "LargestComponent", "components", "largest_box", "largest_contour"]


def above(score_map: np.ndarray, threshold: float) -> np.ndarray:
    """Return where a map (H, W) is strictly above ``threshold`` times its maximum, as uint8.

    Raises:
        MapError: the map is not two-dimensional, or holds NaN, infinite or negative scores.
    """
    if score_map.ndim != 2:
        raise MapError(f"A score map should be (H, W), but got shape {score_map.shape}.")
    peak = float(score_map.max(initial=0.0))
    if not np.isfinite(peak) or not score_map.min(initial=0.0) >= 0:
        raise MapError("A score map holds NaN, infinite or negative scores; bring it to [0, 1] first.")
    return (score_map > threshold * peak).view(np.uint8)


def components(score_map: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the components of ``score_map > threshold * max``.

    Args:
        score_map: (H, W), not negative.
        threshold: fraction of the maximum, in [0, 1).

    Returns:
        boxes (N, 4) int, areas (N,) in pixels, and labels (H, W) with component n marked n + 1.

    Raises:
        MapError: the map is not two-dimensional, or holds NaN, infinite or negative scores.

    >>> boxes, areas, _ = components(np.array([[0, 1.0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0.5]]), 0.2)
    >>> boxes.tolist(), areas.tolist()
    ([[1, 0, 3, 1], [3, 2, 4, 3]], [2, 1])
    """
    inside = above(score_map, threshold)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8, ltype=cv2.CV_32S)
    x, y, width, height, area = stats[1:count].T
    return np.stack([x, y, x + width, y + height], axis=1), area, labels


def largest_contour(score_map: np.ndarray, threshold: float) -> np.ndarray | None:
    """Return the outline of the largest component of ``score_map > threshold * max``, or None for an empty map.

    Ties go to the component met first in raster order.

    Returns:
        (N, 2) int, x and y of every pixel on the outer border, in order.

    Raises:
        MapError: as ``components``.

    >>> largest_contour(np.array([[0, 1.0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0.5]]), 0.2).tolist()
    [[1, 0], [2, 0]]
    """
    inside = above(score_map, threshold)
    contours, tree = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    best = 0
    if len(contours) > 1:
        parents = tree[0, :, 3]  # -1 for an outer contour, else the outer contour of a hole
        areas = np.array([pixels_of(contour, parent >= 0) for contour, parent in zip(contours, parents, strict=True)])
        counts = np.where(parents < 0, areas, 0)
        np.subtract.at(counts, parents[parents >= 0], areas[parents >= 0])
        largest = np.flatnonzero((counts == counts.max()) & (parents < 0))
        best = min(largest.tolist(), key=lambda number: (contours[number][0, 0, 1], contours[number][0, 0, 0]))
    return contours[best][:, 0]


def largest_box(score_map: np.ndarray, threshold: float) -> tuple[int, int, int, int] | None:
    """Return the box of the largest component of ``score_map > threshold * max``, or None for an empty map.

    Ties go to the component met first in raster order.

    Raises:
        MapError: as ``components``.

    >>> largest_box(np.array([[0, 1.0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0.5]]), 0.2)
    (1, 0, 3, 1)
    """
    contour = largest_contour(score_map, threshold)
    if contour is None:
        return None
    x, y, width, height = cv2.boundingRect(contour)
    return x, y, x + width, y + height


def pixels_of(contour: np.ndarray, hole: bool) -> int:
    """Count the pixels a contour encloses, from its area A and length B in pixel steps (Pick's theorem).

    Args:
        contour: (B, 1, 2) every pixel of a contour through the centres of a component's border pixels.
        hole: False for an outer contour, whose pixels count (A + B / 2 + 1), True for that of a hole, whose do not
            (A - B / 2 + 1).

    >>> pixels_of(np.array([[[0, 0]], [[0, 1]], [[0, 2]], [[1, 2]], [[2, 2]], [[2, 1]], [[2, 0]], [[1, 0]]]), False)
    9
    """
    steps = len(contour) if len(contour) > 1 else 0
    return round(cv2.contourArea(contour) + (-steps if hole else steps) / 2) + 1


class LargestComponent(BoxExtractor):
    """One box: around the largest component above the threshold (Zhou et al. 2016); its score is the map's mean inside.

    >>> LargestComponent(threshold=0.5)(np.array([[0, 0.4, 0.8], [0, 0, 1.0]])).boxes.tolist()
    [[2.0, 0.0, 3.0, 2.0]]
    """

    def __call__(self, score_map: np.ndarray, features: np.ndarray | None = None) -> ScoredBoxes:
        """Return one box (1, 4), or none (0, 4) for an empty map."""
        box = largest_box(score_map, self.threshold)
        if box is None:
            return ScoredBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
        x0, y0, x1, y1 = box
        inside = score_map[y0:y1, x0:x1]
        return ScoredBoxes(np.array([box], np.float32), np.array([inside.mean()], np.float32))

    def sweep(
        self, score_map: np.ndarray, thresholds: Sequence[float], features: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the box at each threshold, (T, 4), from one pass over the map; all 0 for an empty map."""
        if type(self).__call__ is not LargestComponent.__call__:  # a subclass makes other boxes
            return super().sweep(score_map, thresholds, features)
        return largest_boxes(score_map, check_thresholds(thresholds)).astype(np.float64)


class AllComponents(BoxExtractor):
    """A box around every component above the threshold, scored by the mean of the map over the component.

    Args:
        threshold: the cut as a fraction of the map's maximum.
        min_area: smallest component kept, as a fraction of the map's pixels.
        max_boxes: most boxes kept, the best.
    """

    def __init__(
        self,
        threshold: float = 0.2,
        min_area: Annotated[float, "in [0, 1)"] = 0.0,
        max_boxes: Annotated[int, "at least 1"] = 100,
    ) -> None:
        super().__init__(threshold)
        self.min_area = min_area
        self.max_boxes = max_boxes

    def __call__(self, score_map: np.ndarray, features: np.ndarray | None = None) -> ScoredBoxes:
        """Return boxes (N, 4), best first."""
        boxes, areas, labels = components(score_map, self.threshold)
        sums = np.bincount(labels.ravel(), weights=score_map.ravel(), minlength=len(areas) + 1)[1:]
        scores = sums / np.maximum(areas, 1)
        kept = np.flatnonzero(areas >= self.min_area * score_map.size)
        order = kept[np.argsort(-scores[kept], kind="stable")][: self.max_boxes]
        return ScoredBoxes(boxes[order].astype(np.float32), scores[order].astype(np.float32))
