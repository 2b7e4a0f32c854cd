"""What a labelling tool says of one photograph, and boxes that it lets people turn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["ToolImage", "turned_hull"]


class ToolImage(NamedTuple):
    """The boxes of one photograph in the file of a tool.

    Attributes:
        name: what the tool calls the photograph.
        size: its (width, height), or None where the tool says none.
        boxes: x0, y0, x1, y1, half open, in pixels.
        classes: the class of each box; None for that of the photograph.
        where: the place in the file, for errors.
    """

    name: str
    size: tuple[int, int] | None
    boxes: list[list[float]]
    classes: list[str | None]
    where: str


def turned_hull(corners: Iterable[Sequence[float]], angle: float, pivot: Sequence[float]) -> list[float]:
    """Return the upright box around corners that are turned clockwise by an angle about a point.

    Args:
        corners: x, y each, in pixels.
        angle: in degrees.
        pivot: x, y.

    >>> [round(side, 6) for side in turned_hull([(0, 0), (4, 0), (4, 2), (0, 2)], 90, (0, 0))]
    [-2.0, 0.0, 0.0, 4.0]
    """
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = pivot
    turned = [
        (x + (a - x) * cosine - (b - y) * sine, y + (a - x) * sine + (b - y) * cosine) if angle else (a, b)
        for a, b in corners
    ]
    across, down = [each[0] for each in turned], [each[1] for each in turned]
    return [min(across), min(down), max(across), max(down)]
