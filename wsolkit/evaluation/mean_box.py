"""The mean of the true boxes of a split, as an answer for every image of another one.

It does not look at images, but it is told by boxes: no weakly supervised method has it for nothing. Where a method that
trains on a few boxes does not beat it, the boxes taught it where objects lie and nothing else.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.map_boxes import KeptMap
from wsolkit.evaluation.results import Result

__all__ = ["MEAN_BOX", "MeanBox", "box_map"]

MEAN_BOX = "mean box of val (trained with boxes)"
"""What tables call it."""


class MeanBox(Accumulator[np.ndarray]):
    """Collects the true boxes of a split, in fractions of their images, and averages their sides.

    >>> metric = MeanBox()
    >>> metric.update("a", np.array([[0, 0, 50, 100]]), (100, 100))
    >>> metric.update("b", np.array([[10, 10, 20, 20]]), (20, 40))
    >>> metric.box()
    (0.25, 0.125, 0.75, 0.75)
    """

    metric = "mean box"

    def measure(self, boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return what is kept of an image: its boxes (N, 4) in fractions of its sides.

        Args:
            boxes: (N, 4) x0 y0 x1 y1 in pixels.
            size: (width, height) of the image.
        """
        return np.asarray(boxes, np.float64).reshape(-1, 4) / np.array([*size, *size], np.float64)

    def box(self) -> tuple[float, float, float, float]:
        """Return the mean box, x0 y0 x1 y1 in fractions of an image; every box counts the same.

        Raises:
            DataError: there is none.
        """
        x0, y0, x1, y1 = np.concatenate([rows for _, rows in self.ordered()]).mean(0).tolist()
        return x0, y0, x1, y1

    def compute(self) -> Result:
        """Return no number: the box is an answer, not a score."""
        return Result(self.metric, ())


@lru_cache(maxsize=64)
def box_map(box: tuple[float, float, float, float], size: tuple[int, int]) -> KeptMap:
    """Return a map (H, W), read-only, that is 1 where the middle of a cell lies in a box and 0 elsewhere.

    Images of one size share it, with all that was found in it. A box without a cell has the one nearest its middle.

    Args:
        box: x0 y0 x1 y1 in fractions of the map's sides.
        size: (H, W).

    >>> box_map((0.25, 0.0, 1.0, 0.5), (2, 4)).tolist()
    [[0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    """
    found = np.zeros(size)
    inside = []
    for low, high, cells in ((box[1], box[3], size[0]), (box[0], box[2], size[1])):
        middles = (np.arange(cells) + 0.5) / cells
        chosen = (middles >= low) & (middles < high)
        chosen[np.abs(middles - (low + high) / 2).argmin()] = True
        inside.append(chosen)
    found[np.ix_(*inside)] = 1
    found.setflags(write=False)
    return found.view(KeptMap)
