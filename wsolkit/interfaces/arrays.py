"""What the parts hand each other as plain arrays: truth, boxes, and pictures to show. No torch is needed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["Panel", "Refined", "ScoredBoxes", "Targets"]


@dataclass
class Targets:
    """What evaluation may see of an image, in pixels of the original image (as displayed, EXIF orientation applied).

    Attributes:
        size: (width, height) of the original image.
        boxes: (N, 4) float32, x0 y0 x1 y1, half open.
        box_labels: (N,) int64 class of each box.
        difficult: (N,) bool; such boxes are neither hits nor misses.
        mask: (height, width) uint8 class mask (0 background, k + 1 class k, 255 ignored), or None.
    """

    size: tuple[int, int]
    boxes: np.ndarray
    box_labels: np.ndarray
    difficult: np.ndarray
    mask: np.ndarray | None = None


class ScoredBoxes(NamedTuple):
    """Boxes (N, 4) float32, x0 y0 x1 y1 half open, with scores (N,) float32, best first."""

    boxes: np.ndarray
    scores: np.ndarray


class Refined(NamedTuple):
    """What a refiner makes of the boxes of an image: a mask (N, h, w) bool for each, and the boxes, in their order."""

    masks: np.ndarray
    boxes: ScoredBoxes


class Panel(NamedTuple):
    """One picture of what a part makes of an image, as papers print them; it is laid over the photo.

    Attributes:
        name: what it shows, in a few words.
        picture: (h, w) of any size that covers the whole image: scores in [0, 1], or bool for a mask.
        box: x0 y0 x1 y1 in fractions of the picture's width and height, or None.
    """

    name: str
    picture: np.ndarray
    box: tuple[float, float, float, float] | None = None
