"""What boxes and sizes in any label file have to be: numbers that an image can have, and pixels where pixels belong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from wsolkit.errors import DataError

__all__ = ["MOST_CLASSES", "MOST_PIXELS", "checked_box", "checked_size", "is_box", "refuse_fractions"]

MOST_PIXELS = 10**6
"""No side of an image is longer, and no box begins or ends farther away."""

MOST_CLASSES = 10**6
"""No label is higher: lists of classes are as long as the highest label of all."""


def is_box(x0: float, y0: float, x1: float, y1: float) -> bool:
    """Whether a box may be one of an image: its sides are numbers that an image can have, and in order.

    >>> is_box(0, 0, 0, 5), is_box(0, 0, float("nan"), 5)
    (True, False)
    """
    return -MOST_PIXELS <= x0 <= x1 <= MOST_PIXELS and -MOST_PIXELS <= y0 <= y1 <= MOST_PIXELS


def checked_box(box: Sequence[float], where: str) -> list[float]:
    """Return a box x0, y0, x1, y1 of a label file.

    A side of zero is let through (COCO has some), and a box that leaves its image: both are for who knows the image.

    Raises:
        DataError: a side is NaN or infinite, farther away than any image is large, or the box ends before it begins.

    >>> checked_box([0, 1.5, 4, 3], "a.csv, line 1")
    [0, 1.5, 4, 3]
    >>> checked_box([4, 1, 0, 3], "a.csv, line 1")
    Traceback (most recent call last):
    wsolkit.errors.DataError: a.csv, line 1: the box x0, y0, x1, y1 = [4, 1, 0, 3] ends before it begins. Correct it.
    """
    sides = list(box)
    if is_box(*sides):
        return sides
    if not all(math.isfinite(side) and abs(side) <= MOST_PIXELS for side in sides):
        raise DataError(
            f"{where}: the box x0, y0, x1, y1 = {sides} is in no image: sides are finite numbers of pixels, at most "
            f"{MOST_PIXELS}. Correct it."
        )
    raise DataError(f"{where}: the box x0, y0, x1, y1 = {sides} ends before it begins. Correct it.")


def checked_size(width: Any, height: Any, where: str) -> tuple[int, int] | None:
    """Return the (width, height) that a label file states, or None where it states none or zero.

    Raises:
        DataError: they are no whole numbers, negative, or larger than any image.

    >>> checked_size(640.0, 480, "a.json"), checked_size(0, 0, "a.json"), checked_size(None, 480, "a.json")
    ((640, 480), None, None)
    """
    sides = [0 if side is None else side for side in (width, height)]
    numbers = [isinstance(side, (int, float)) and not isinstance(side, bool) for side in sides]
    if not all(numbers) or not all(0 <= side <= MOST_PIXELS and side == int(side) for side in sides):
        raise DataError(
            f"{where}: width and height should be whole numbers of pixels, at most {MOST_PIXELS}, but are {width!r} "
            f"and {height!r}. Correct them."
        )
    return (int(sides[0]), int(sides[1])) if all(sides) else None


def refuse_fractions(boxes: Iterable[Sequence[float]], where: str) -> None:
    """Refuse the boxes of a whole file where they must be fractions of the images instead of pixels.

    Raises:
        DataError: all of them lie within one pixel, and not on its edges alone.

    >>> refuse_fractions([[0, 0, 1, 1], [0, 0, 0.5, 40]], "a.csv")
    >>> refuse_fractions([[0, 0, 1, 1], [0.25, 0, 0.5, 1]], "a.csv")
    Traceback (most recent call last):
    wsolkit.errors.DataError: a.csv: all boxes lie within one pixel, such as [0.25, 0, 0.5, 1]: they seem to be ...
    """
    odd: Sequence[float] | None = None
    for box in boxes:
        if not all(0 <= side <= 1 for side in box):
            return
        odd = odd or (None if all(side in (0, 1) for side in box) else box)
    if odd is not None:
        raise DataError(
            f"{where}: all boxes lie within one pixel, such as {list(odd)}: they seem to be fractions of the images. "
            "Multiply them by width and height, or give the boxes as a YOLO folder."
        )
