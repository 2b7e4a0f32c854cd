"""The photographs that a person has checked: kept beside the labels, so that no later run loses them.

The first line of the file holds the names of its classes, since numbers change with every class that is added. The
others are photographs, also those that are not there now: they come back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from wsolkit.errors import DataError, first_few
from wsolkit.evaluation.overlap import box_iou
from wsolkit.files import write_text
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult, from_line, to_line
from wsolkit.formats.found_masks import FoundMask
from wsolkit.formats.image_headers import displayed_size
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import VERIFIED
from wsolkit.labelling.verified import Verified

__all__ = ["Checked", "keep_verified", "read_checked", "with_checked"]

Checked = dict[str, ImageResult]
"""The checked boxes of photographs, by name; an empty list of boxes where nothing is there."""

ROUNDING = 1.0
"""Up to how many pixels a side may be off in a box that nobody has moved: some formats hold whole pixels."""


def read_checked(out: Path, photographs: Photographs) -> Checked:
    """Return what was checked before, of the photographs there are now.

    Raises:
        DataError: the file is damaged, or a box is of a class that is none now.
    """
    return those_here(read_all(out), out, photographs)


def keep_verified(found: Verified, out: Path, photographs: Photographs) -> Checked:
    """Put checked boxes with what was checked before, keep all beside the labels, and return those that are here.

    What was checked before stays, except where a file has other boxes, or rejects those that there were.

    Raises:
        DataError: as ``read_checked``.
    """
    images = {image.image_id: image.path for image in photographs.files}
    checked = read_all(out)
    for image_id in found.rejected:
        checked.pop(image_id, None)
    for image_id, boxes in found.boxes.items():
        checked[image_id] = ImageResult(image_id, images[image_id], displayed_size(images[image_id]), list(boxes))
    here = those_here(checked, out, photographs)
    used = [box.class_name for each in checked.values() for box in each.boxes]
    classes = list(dict.fromkeys([*photographs.classes, *used]))
    lines = [json.dumps({"classes": classes}), *(to_line(numbered(each, classes)) for each in checked.values())]
    write_text(out / VERIFIED, "".join(f"{line}\n" for line in lines))
    return here


def read_all(out: Path) -> Checked:
    """Return what was checked before, also of photographs that are not there now; classes are numbered as in the file.

    Raises:
        DataError: the file is damaged.
    """
    path = out / VERIFIED
    if not path.exists():
        return {}
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
        classes = classes_of(first)
        found = [from_line(line, classes) for line in lines]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Remove it, and give --verified again.") from error
    return {each.image_id: each for each in found if isinstance(each, ImageResult)}


def classes_of(line: str) -> tuple[str, ...]:
    """Return the names of the classes that the first line of the file holds.

    Raises:
        ValueError: it holds none.
    """
    content = json.loads(line)
    names = content.get("classes") if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its first line does not name the classes")
    return tuple(names)


def those_here(checked: Checked, out: Path, photographs: Photographs) -> Checked:
    """Return those of the photographs that there are now, with the numbers that their classes have now.

    Raises:
        DataError: a box is of a class that is none now.
    """
    paths = {image.image_id: image.path for image in photographs.files}
    here = [each for name, each in checked.items() if name in paths]
    gone = {box.class_name for each in here for box in each.boxes} - set(photographs.classes)
    if gone:
        raise DataError(
            f"{out / VERIFIED} holds checked boxes of {first_few(sorted(gone))}, but the classes are "
            f"{first_few(photographs.classes)} now. It was left as it is: name the classes as before, or move it away."
        )
    return {each.image_id: replace(numbered(each, photographs.classes), path=paths[each.image_id]) for each in here}


def numbered(result: ImageResult, classes: Sequence[str]) -> ImageResult:
    """Return a result whose boxes have the numbers of their classes among the given ones."""
    return replace(result, boxes=[box._replace(class_index=classes.index(box.class_name)) for box in result.boxes])


def with_checked(
    records: Iterable[ImageResult | Failure], checked: Checked, masks: bool = False
) -> Iterator[ImageResult | Failure]:
    """Yield results with the checked boxes in the place of those that were found.

    Args:
        records: the results, of all photographs.
        checked: the checked boxes.
        masks: give them masks: that of the box that was found there, see ``masked``.
    """
    for each in records:
        known = checked.get(each.image_id) if isinstance(each, ImageResult) else None
        if known is None or not isinstance(each, ImageResult):
            yield each
        elif masks:
            yield replace(known, boxes=[masked(box, known.size, each) for box in known.boxes])
        else:
            yield known


def masked(box: FoundBox, size: tuple[int, int], found: ImageResult) -> FoundBox:
    """Return a checked box with the mask of the box of its class that was found there.

    Where somebody has moved the box, the mask is cut to it; where nothing of it is inside, the whole box is the mask.

    >>> checked, mask = FoundBox((0, 0, 2, 2), 0, "owl", 1, 1), FoundMask.of(np.eye(4, dtype=bool))
    >>> before = ImageResult("a", "", (4, 4), [FoundBox((0, 0, 4, 4), 0, "owl", 1, 1, None, mask)])
    >>> masked(checked, (4, 4), before).mask.inside().astype(int).tolist()
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    """
    width, height = size
    x0, y0, x1, y1 = box.box
    inside = np.zeros((height, width), bool)
    inside[math.floor(y0) : math.ceil(y1), math.floor(x0) : math.ceil(x1)] = True
    others = [
        (each.box, each.mask)
        for each in found.boxes
        if each.class_index == box.class_index and each.mask is not None and each.mask.size == size
    ]
    if others:
        overlaps = box_iou(np.array([box.box]), np.array([other for other, _ in others])).ravel()
        nearest, mask = others[int(overlaps.argmax())]
        if np.abs(np.subtract(nearest, box.box)).max() <= ROUNDING:
            return box._replace(mask=mask)
        cut = inside & mask.inside()
        inside = cut if cut.any() else inside
    return box._replace(mask=FoundMask.of(inside))
