"""What prediction says of one image, and the line of JSON it is kept as.

Boxes are (x0, y0, x1, y1) in pixels of the original image as it is displayed (EXIF orientation applied), half open.
A box has two numbers: ``score``, the model's probability of the class in the image, and ``map_score``, how strong the
score map is inside the box. Where the model does not classify, ``score`` is the map score.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from wsolkit.errors import DataError, shortened
from wsolkit.formats.checked_boxes import checked_box, checked_size
from wsolkit.formats.found_masks import FoundMask

__all__ = ["ACCEPTED", "OUTDATED", "REJECTED", "Failure", "FoundBox", "ImageResult", "from_line", "to_line"]

TOP = 5
"""How many of the likeliest classes of an image are kept in the files."""

ACCEPTED, REJECTED, OUTDATED = "accepted", "rejected", "outdated"
"""What a person says of an image's boxes; outdated: those were rejected that it had before these."""


class FoundBox(NamedTuple):
    """A box of one class.

    Attributes:
        box: x0, y0, x1, y1 in pixels of the original image, half open.
        class_index: the class, counted from 0.
        class_name: its name.
        score: the class's probability in the image, in [0, 1].
        map_score: what the box extractor says of the box, usually the mean of the score map inside, in [0, 1].
        doubt: how likely the box is a bad one, in [0, 1], or None where nobody has asked.
        mask: where the object is, or None where nobody has asked.
    """

    box: tuple[float, float, float, float]
    class_index: int
    class_name: str
    score: float
    map_score: float
    doubt: float | None = None
    mask: FoundMask | None = None


@dataclass
class ImageResult:
    """What the model says of one image.

    Attributes:
        image_id: the image's name.
        path: the file it came from, or empty for images handed over in memory.
        size: (width, height) of the original image, upright.
        boxes: the boxes, likeliest class first; none where the map shows nothing or no class is likely enough.
        top: the likeliest classes as (index, probability), best first; none where the model does not classify.
        probabilities: (K,) float32, or None where the model does not classify; not kept in files.
        maps: (H, W) float32 score map in [0, 1] of each asked class, where maps were asked for; not kept in files.
        notes: what the box extractor decided in the map of each class, as plain data, where it says so.
        verdict: what a person says of the boxes, ``ACCEPTED``, ``REJECTED`` or ``OUTDATED``; empty where nobody has
            looked. Not kept in files.
    """

    image_id: str
    path: str
    size: tuple[int, int]
    boxes: list[FoundBox] = field(default_factory=list)
    top: list[tuple[int, float]] = field(default_factory=list)
    probabilities: np.ndarray | None = None
    maps: dict[int, np.ndarray] = field(default_factory=dict)
    notes: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    verdict: str = ""

    @property
    def refused(self) -> bool:
        """Whether a person has rejected the boxes, and nobody has accepted or drawn others: none is to train on."""
        return self.verdict in (REJECTED, OUTDATED)


class Failure(NamedTuple):
    """An image that could not be read, and why."""

    image_id: str
    path: str
    reason: str


def to_line(result: ImageResult | Failure) -> str:
    """Return a result as one line of JSON; coordinates are kept to a hundredth of a pixel, scores to six digits.

    >>> to_line(Failure("a.jpg", "/in/a.jpg", "empty"))
    '{"id":"a.jpg","path":"/in/a.jpg","error":"empty"}'
    """
    content: dict[str, Any] = {"id": result.image_id, "path": result.path}
    if isinstance(result, Failure):
        content["error"] = result.reason
    else:
        content["size"] = list(result.size)
        content["boxes"] = [box_cells(found) for found in result.boxes]
        content["top"] = [[index, round(probability, 6)] for index, probability in result.top]
        if result.notes:
            content["notes"] = [[index, dict(notes)] for index, notes in result.notes.items()]
    return json.dumps(content, separators=(",", ":"))


def box_cells(found: FoundBox) -> list[Any]:
    """Return a box as a list of JSON: sides, class, two scores, and doubt and mask as far as there are any."""
    scores = (round(found.score, 6), round(found.map_score, 6))
    more = [None if found.doubt is None else round(found.doubt, 6), None if found.mask is None else found.mask.counts]
    while more and more[-1] is None:
        more.pop()
    return [*(round(side, 2) for side in found.box), found.class_index, *scores, *more]


def box_of(cells: Sequence[Any], classes: tuple[str, ...], size: tuple[int, int]) -> FoundBox:
    """Return the box that ``box_cells`` wrote, of an image of a (width, height); sides and scores are not looked at.

    Raises:
        ValueError: there are too few or too many cells, or doubt is outside of [0, 1].
        DataError: the mask is broken.
    """
    x0, y0, x1, y1, index, score, map_score, doubt, counts = [*cells, None, None][: max(9, len(cells))]
    if doubt is not None and not 0 <= doubt <= 1:
        raise ValueError(f"doubt {doubt} should be in [0, 1]")
    mask = None if counts is None else FoundMask.checked(counts, size)
    return FoundBox((x0, y0, x1, y1), index, classes[index], score, map_score, doubt, mask)


def from_line(line: str, classes: tuple[str, ...]) -> ImageResult | Failure:
    """Return the result that ``to_line`` wrote.

    Args:
        line: one line of JSON.
        classes: the names of the classes, by index.

    Raises:
        ValueError: the line is not one of ``to_line``'s.

    >>> result = ImageResult("a.jpg", "", (8, 6), [FoundBox((1.0, 2.0, 3.0, 4.5), 1, "cat", 0.5, 0.25)], [(1, 0.5)])
    >>> from_line(to_line(result), ("dog", "cat")) == result
    True
    """
    try:
        content = json.loads(line)
        image_id, path = content["id"], content["path"]
        texts = [image_id, path]
        if "error" in content:
            failure = Failure(image_id, path, content["error"])
            check_kinds([*texts, failure.reason])
            return failure
        width, height = content["size"]
        boxes = [box_of(cells, classes, (width, height)) for cells in content["boxes"]]
        top = [(index, probability) for index, probability in content["top"]]
        scores = [score for each in boxes for score in (each.score, each.map_score, each.doubt or 0)]
        numbers = [*(side for each in boxes for side in each.box), *scores, *(each[1] for each in top)]
        notes: dict[int, Mapping[str, Any]] = {index: dict(each) for index, each in content.get("notes", ())}
        indices = [*(each.class_index for each in boxes), *(each[0] for each in top), *notes]
        check_kinds(texts, numbers, [width, height], indices)
        for each in boxes:
            checked_box(each.box, "The line")
        checked_size(width, height, "The line")
        return ImageResult(image_id, path, (width, height), boxes, top, notes=notes)
    except (DataError, KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"This is no line of a part file: {shortened(line)!r} ({error!r}).") from error


def check_kinds(
    texts: Sequence[Any], numbers: Sequence[Any] = (), sides: Sequence[Any] = (), indices: Sequence[Any] = ()
) -> None:
    """Look at what a line of JSON holds.

    Raises:
        TypeError: a text, a finite number, a side of an image or the index of a class is none.
    """
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{texts} should be texts")
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise TypeError(f"{numbers} should be numbers")
    if not all(type(side) is int and side > 0 for side in sides):
        raise TypeError(f"{sides} should be width and height")
    if not all(type(index) is int and index >= 0 for index in indices):
        raise TypeError(f"{indices} should be classes")
