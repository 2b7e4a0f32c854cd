"""The mask of a found object, kept small: COCO's run lengths as text, or outlines as polygons."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from wsolkit.errors import DataError
from wsolkit.formats.coco_outlines import MOST_CELLS, checked_runs, painted, run_lengths

__all__ = ["FoundMask", "polygons"]

TOLERANCE = 0.5
"""How far, in pixels, an outline of a polygon may pass from the edge of its mask."""


class FoundMask(NamedTuple):
    """Where an object is in an image, as COCO's compressed run lengths.

    Attributes:
        size: (width, height) of the image, upright.
        counts: the run lengths, column by column, in COCO's text form.
    """

    size: tuple[int, int]
    counts: str

    @classmethod
    def of(cls, inside: np.ndarray) -> FoundMask:
        """Return the mask that is True in (height, width) bool.

        >>> FoundMask.of(np.array([[False, True], [False, True]]))
        FoundMask(size=(2, 2), counts='22')
        """
        return cls((inside.shape[1], inside.shape[0]), run_lengths(inside)["counts"])

    @classmethod
    def checked(cls, counts: Any, size: tuple[int, int]) -> FoundMask:
        """Return the mask that a file tells.

        Raises:
            DataError: the text is none of run lengths, or they are for another (width, height).
        """
        if not isinstance(counts, str):
            raise DataError(f"A mask should be the text of run lengths, but got {counts!r}. Correct it.")
        if size[0] * size[1] > MOST_CELLS:
            raise DataError(f"A mask of {size[0]} x {size[1]} pixels is too large. Correct the size.")
        checked_runs({"size": [size[1], size[0]], "counts": counts}, size)
        return cls(size, counts)

    def inside(self) -> np.ndarray:
        """Return (height, width) bool.

        >>> FoundMask((2, 1), "11").inside().tolist()
        [[False, True]]
        """
        found = painted(self.coco(), self.size)
        assert found is not None  # run lengths always paint
        return found

    def coco(self) -> dict[str, Any]:
        """Return it as COCO writes run lengths."""
        return {"size": [self.size[1], self.size[0]], "counts": self.counts}


def polygons(inside: np.ndarray, most: int | None = None) -> list[list[float]]:
    """Return the outlines of the pieces of a mask, the largest first, as x, y, x, y, ... in pixels.

    An outline runs a quarter of a pixel inside the edge, and is simplified by at most half a pixel; holes are filled,
    for polygons have none.

    Args:
        inside: (height, width) bool.
        most: how many pieces, or None for all.

    >>> inside = np.zeros((6, 8), bool)
    >>> inside[1:4, 2:7] = True
    >>> polygons(inside)
    [[2.25, 1.25, 2.25, 3.75, 6.75, 3.75, 6.75, 1.25]]
    """
    x, y, width, height = cv2.boundingRect(inside.view(np.uint8))
    if not width:
        return []
    part = inside[y : y + height, x : x + width].view(np.uint8)
    twice = part.repeat(2, axis=0).repeat(2, axis=1)  # so that a line of one pixel has two sides
    contours, _ = cv2.findContours(twice, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contours = sorted(contours, key=cv2.contourArea, reverse=True)[:most]
    corners = [cv2.approxPolyDP(each, 2 * TOLERANCE, closed=True)[:, 0] for each in contours]
    kept = [simple if len(simple) >= 3 else contour[:, 0] for simple, contour in zip(corners, contours, strict=True)]
    return [(each / 2 + (x + 0.25, y + 0.25)).ravel().tolist() for each in kept]
