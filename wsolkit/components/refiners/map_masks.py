"""The masks that a score map gives by itself: what every refiner has to be better than."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from wsolkit.components.refiners.objects import map_masks
from wsolkit.interfaces import Refined, Refiner, ScoredBoxes

__all__ = ["MapMasks"]


class MapMasks(Refiner):
    """The map's own component inside each box, above the cut that gave the boxes; the boxes stay.

    Args:
        side: the longest side, in pixels, at which the map is cut.

    >>> score_map = np.array([[0, 0.4, 0.8, 1.0]])
    >>> boxes = ScoredBoxes(np.array([[2, 0, 4, 1]], np.float32), np.array([0.9], np.float32))
    >>> MapMasks()(np.zeros((1, 4, 3), np.uint8), score_map, boxes, 0.5).masks.tolist()
    [[[False, False, True, True]]]
    """

    def __init__(self, side: Annotated[int, "at least 16"] = 320) -> None:
        super().__init__(side)

    def __call__(self, image: np.ndarray, score_map: np.ndarray, boxes: ScoredBoxes, threshold: float) -> Refined:
        """Return a mask for each box, and the boxes."""
        return Refined(map_masks(score_map, boxes.boxes, threshold), boxes)
