"""From one foreground of a photograph to a mask and a box for each of the boxes that a score map gave."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

import cv2
import numpy as np

from wsolkit.errors import DataError, ShapeError
from wsolkit.evaluation.overlap import box_iou
from wsolkit.interfaces import Refined, Refiner, ScoredBoxes

__all__ = ["ForegroundRefiner", "box_around", "map_masks", "mask_overlap", "refined_boxes", "split_foreground"]


def map_masks(score_map: np.ndarray, boxes: np.ndarray, threshold: float) -> np.ndarray:
    """Return what the map itself says of each box: its largest component above the cut inside the box.

    Where nothing in a box is above the cut, its mask is the whole box.

    Args:
        score_map: (h, w), not negative.
        boxes: (N, 4) in pixels of the map.
        threshold: the cut as a fraction of the map's maximum.

    Returns:
        (N, h, w) bool.

    >>> found = map_masks(np.array([[0, 0.4, 0.8, 1.0]]), np.array([[1, 0, 3, 1], [0, 0, 1, 1]]), 0.5)
    >>> found[:, 0].tolist()
    [[False, False, True, False], [True, False, False, False]]
    """
    height, width = score_map.shape
    above = (score_map > threshold * score_map.max(initial=0)).astype(np.uint8)
    found = np.zeros((len(boxes), height, width), bool)
    for mask, box in zip(found, boxes, strict=True):
        x0, y0, x1, y1 = pixels_touched(box, width, height)
        inside = above[y0:y1, x0:x1]
        mask[y0:y1, x0:x1] = largest_component(inside) if inside.any() else True
    return found


def pixels_touched(box: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of the pixels that a box touches, at least one."""
    x0, y0 = (int(min(max(np.floor(side), 0), most - 1)) for side, most in zip(box[:2], (width, height), strict=True))
    x1, y1 = (int(min(np.ceil(side), most)) for side, most in zip(box[2:], (width, height), strict=True))
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def largest_component(inside: np.ndarray) -> np.ndarray:
    """Return the largest 8-connected component of (h, w) uint8 that is not all 0, as bool."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def split_foreground(foreground: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return the part of a foreground that belongs to each object.

    An object has the component that shares most pixels with its seed; of components that several objects share, it has
    the pixels nearest to its seed. Holes are filled.

    Args:
        foreground: (h, w) bool.
        seeds: (N, h, w) bool, where the map has the objects.

    Returns:
        (N, h, w) bool; all False where a seed lies outside of the foreground.

    >>> foreground = np.array([[True, True, False, True, True, True]])
    >>> seeds = np.array([[[True, False, False, False, False, False]], [[False, False, True, True, False, False]]])
    >>> split_foreground(foreground, seeds)[:, 0].astype(int).tolist()
    [[1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
    """
    _, labels = cv2.connectedComponents(foreground.astype(np.uint8), connectivity=8)
    chosen = []
    for seed in seeds:
        shared = np.bincount(labels[seed], minlength=2)
        shared[0] = 0
        chosen.append(int(shared.argmax()) if shared.any() else -1)
    found = np.stack([labels == label for label in chosen]) if chosen else np.zeros_like(seeds)
    if len(set(chosen) - {-1}) < len([label for label in chosen if label >= 0]):
        distances = np.stack([cv2.distanceTransform((~seed).astype(np.uint8), cv2.DIST_L2, 5) for seed in seeds])
        nearest = distances.argmin(axis=0)
        for number, label in enumerate(chosen):
            if chosen.count(label) > 1:
                found[number] &= nearest == number
    return np.stack([without_holes(mask) for mask in found]) if chosen else found


def without_holes(mask: np.ndarray) -> np.ndarray:
    """Return a mask (h, w) bool with what its outer outlines enclose."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, cv2.FILLED).astype(bool)


def mask_overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Return the intersection over union of two masks; 0 where both are empty.

    >>> mask_overlap(np.array([[True, True, False]]), np.array([[False, True, True]])).__round__(3)
    0.333
    """
    return float((first & second).sum() / max(int((first | second).sum()), 1))


def box_around(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Return the box x0, y0, x1, y1, half open, around a mask (h, w) bool; all 0 for an empty one.

    >>> box_around(np.array([[False, True, True], [False, False, False]]))
    (1, 0, 3, 1)
    """
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return x, y, x + width, y + height


def refined_boxes(masks: np.ndarray, boxes: ScoredBoxes, replace_from: float) -> ScoredBoxes:
    """Return the boxes, those around their masks where both overlap by ``replace_from`` or more; 1 keeps all.

    >>> mask, boxes = np.array([[[True, True, False, False]]]), ScoredBoxes(np.array([[0, 0, 3, 1]]), np.array([0.5]))
    >>> refined_boxes(mask, boxes, 0.6).boxes.tolist(), refined_boxes(mask, boxes, 0.7).boxes.tolist()
    ([[0, 0, 2, 1]], [[0, 0, 3, 1]])
    """
    found = boxes.boxes.copy()
    if replace_from < 1:
        for number, mask in enumerate(masks):
            around = np.array(box_around(mask), found.dtype)
            if box_iou(around[None].astype(np.float64), found[number : number + 1].astype(np.float64))[0, 0] >= (
                replace_from
            ):
                found[number] = around
    return ScoredBoxes(found, boxes.scores)


class ForegroundRefiner(Refiner):
    """A refiner that tells one foreground of the photograph from its background, which is then split among the boxes.

    Args:
        side: the longest side of the image it is handed, in pixels.
        keep_below: overlap of a mask with the map's own below which the refiner has lost the object: such a mask is
            the map's.
        replace_from: overlap of a box with the one around its mask from which that takes its place; 1 for never.
    """

    def __init__(
        self,
        side: Annotated[int, "at least 16"] = 320,
        keep_below: Annotated[float, "in [0, 1]"] = 0.3,
        replace_from: Annotated[float, "in [0, 1]"] = 1.0,
    ) -> None:
        super().__init__(side)
        self.keep_below = keep_below
        self.replace_from = replace_from

    @abstractmethod
    def foreground(self, image: np.ndarray, score_map: np.ndarray, seeds: np.ndarray, threshold: float) -> np.ndarray:
        """Return (h, w) bool: where the objects are.

        Args:
            image: (h, w, 3) uint8, RGB.
            score_map: (h, w) in [0, 1]; its maximum is not 0.
            seeds: (N, h, w) bool, what the map says of each box; N is 1 or more.
            threshold: where the map was cut, as a fraction of its maximum.
        """

    def __call__(self, image: np.ndarray, score_map: np.ndarray, boxes: ScoredBoxes, threshold: float) -> Refined:
        """Return a mask for each box, and the boxes, in the same order.

        Raises:
            ShapeError: image and map differ in size.
            DataError: the image is not uint8.
        """
        if image.shape != (*score_map.shape, 3):
            raise ShapeError(f"An image {image.shape} needs a map of its size, but got {score_map.shape}. Resize it.")
        if image.dtype != np.uint8:
            raise DataError(f"The image should be uint8, 0 to 255, but got {image.dtype}. Convert it.")
        seeds = map_masks(score_map, boxes.boxes, threshold)
        if not len(seeds) or not score_map.max(initial=0) > 0:
            return Refined(seeds, boxes)
        masks = split_foreground(self.foreground(image, score_map, seeds, threshold), seeds)
        for mask, seed in zip(masks, seeds, strict=True):
            if mask_overlap(mask, seed) < self.keep_below or not mask.any():
                mask[:] = seed
        return Refined(masks, refined_boxes(masks, boxes, self.replace_from))
