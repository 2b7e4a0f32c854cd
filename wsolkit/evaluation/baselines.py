"""The trivial baselines that every table needs: answers that do not look at the image.

Object photographs are centred: a blob in the middle can beat a method, and a method has to beat the blob before its
number means anything.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from wsolkit.evaluation.map_boxes import KeptMap

__all__ = ["BASELINES", "centre_box", "centred_blob", "drawn_map", "whole_image"]

CENTRE_SIDE = 0.5**0.5


def centred_blob(size: tuple[int, int]) -> np.ndarray:
    """Return a Gaussian blob (H, W) in the middle, its deviations a quarter of the sides; the threshold sets its box.

    >>> centred_blob((5, 5)).argmax()
    np.int64(12)
    """
    height, width = size
    y = (np.arange(height) + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    return np.exp(-((y[:, None] / 0.25) ** 2 + (x[None] / 0.25) ** 2) / 2)


def centre_box(size: tuple[int, int]) -> np.ndarray:
    """Return a map (H, W) that is 1 in the middle half of the area and 0 elsewhere: one box at any threshold."""
    height, width = size
    margins = round(height * (1 - CENTRE_SIDE) / 2), round(width * (1 - CENTRE_SIDE) / 2)
    score_map = np.zeros(size)
    score_map[margins[0] : height - margins[0], margins[1] : width - margins[1]] = 1
    return score_map


def whole_image(size: tuple[int, int]) -> np.ndarray:
    """Return a map (H, W) of ones: the box is the image at any threshold."""
    return np.ones(size)


BASELINES = {
    "centre box (half the area)": centre_box,
    "centred Gaussian blob": centred_blob,
    "whole image": whole_image,
}


@lru_cache(maxsize=64)
def drawn_map(name: str, size: tuple[int, int]) -> KeptMap:
    """Return the map (H, W) of a baseline, read-only; images of one size share it, with all that was found in it.

    >>> drawn_map("whole image", (2, 3)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    drawn = BASELINES[name](size)
    drawn.setflags(write=False)
    return drawn.view(KeptMap)
