"""The masks and boxes that refiners make of reduced photographs, in the photographs' own pixels."""

from __future__ import annotations

import cv2
import numpy as np

from wsolkit.formats.found_masks import FoundMask
from wsolkit.inference.scale_boxes import scale_boxes
from wsolkit.interfaces import Refiner, ScoredBoxes

__all__ = ["mask_in_photo", "refine_boxes"]


def mask_in_photo(mask: np.ndarray, size: tuple[int, int]) -> FoundMask:
    """Return a mask (h, w) bool of a reduced photograph for one of ``size`` = (width, height), its outline smooth.

    >>> mask_in_photo(np.array([[True, False]]), (4, 2)).inside().astype(int).tolist()
    [[1, 1, 0, 0], [1, 1, 0, 0]]
    """
    if mask.shape == size[::-1]:
        return FoundMask.of(mask)
    values = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    return FoundMask.of(values > 127)


def refine_boxes(
    refiner: Refiner,
    photo: np.ndarray,
    size: tuple[int, int],
    score_map: np.ndarray,
    boxes: ScoredBoxes,
    threshold: float,
) -> tuple[np.ndarray, list[FoundMask]]:
    """Return the boxes (N, 4) of a photograph in its own pixels, and the mask of each.

    Args:
        refiner: what makes masks.
        photo: (h, w, 3) uint8, RGB, the photograph at the size that the refiner works at.
        size: (width, height) of the photograph.
        score_map: (H, W) in [0, 1], of any size.
        boxes: the boxes that were found in the map, in pixels of the map.
        threshold: where the map was cut for them, as a fraction of its maximum.
    """
    (h, w), (height, width) = photo.shape[:2], score_map.shape
    resized = cv2.resize(np.ascontiguousarray(score_map), (w, h), interpolation=cv2.INTER_LINEAR)
    carried = scale_boxes(boxes.boxes, (width, height), (w, h)).astype(np.float32)
    masks, refined = refiner(photo, resized, ScoredBoxes(carried, boxes.scores), threshold)
    exact = scale_boxes(boxes.boxes, (width, height), size)  # what a refiner leaves alone is not rounded on the way
    moved = (refined.boxes != carried).any(axis=1, keepdims=True)
    return np.where(moved, scale_boxes(refined.boxes, (w, h), size), exact), [mask_in_photo(m, size) for m in masks]
