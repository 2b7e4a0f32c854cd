"""The photographs that a person has looked at: kept beside the labels, so that no later run loses them.

The first line of the file holds the names of its classes, since numbers change with every class that is added, and
under ``rejected`` the photographs whose boxes are wrong, by name, with these boxes. The others are checked photographs
with their boxes. Both stay while the photographs are away: they come back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from wsolkit.errors import DataError, first_few
from wsolkit.evaluation.overlap import box_iou
from wsolkit.files import write_text
from wsolkit.formats.checked_boxes import is_box
from wsolkit.formats.found_boxes import (
    ACCEPTED,
    OUTDATED,
    REJECTED,
    Failure,
    FoundBox,
    ImageResult,
    from_line,
    to_line,
)
from wsolkit.formats.found_masks import FoundMask
from wsolkit.formats.image_headers import displayed_size
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import VERIFIED
from wsolkit.labelling.verified import Sides, Verified

__all__ = ["Checked", "LookedAt", "keep_verified", "read_checked", "with_checked"]

Checked = dict[str, ImageResult]
"""The checked boxes of photographs, by name; an empty list of boxes where nothing is there."""

ROUNDING = 1.0
"""Up to how many pixels a side may be off in a box that nobody has moved: some formats hold whole pixels."""

SAME = 0.9
"""Overlap (IoU) with a rejected box from which a box is taken for it."""


@dataclass
class LookedAt:
    """The photographs that a person has looked at.

    Attributes:
        checked: those whose boxes are right, since they were accepted or drawn.
        rejected: the boxes of those where they are wrong and nobody has drawn others; none where nobody has said which.
    """

    checked: Checked = field(default_factory=dict)
    rejected: dict[str, list[Sides]] = field(default_factory=dict)


def read_checked(out: Path, photographs: Photographs) -> LookedAt:
    """Return what was looked at before, of the photographs there are now.

    Raises:
        DataError: the file is damaged, or a box is of a class that is none now.
    """
    return those_here(read_all(out), out, photographs)


def keep_verified(found: Verified, out: Path, photographs: Photographs) -> LookedAt:
    """Put checked boxes with what was checked before, keep all beside the labels, and return those that are here.

    What was checked before stays, except where a file has other boxes, or rejects those that there were; what was
    rejected stays so until it is accepted, or a file has boxes of it.

    Raises:
        DataError: as ``read_checked``.
    """
    images = {image.image_id: image.path for image in photographs.files}
    known = read_all(out)
    checked, rejected = known.checked, known.rejected
    for image_id, wrong in found.rejected.items():
        checked.pop(image_id, None)
        rejected[image_id] = wrong
    for image_id, boxes in found.boxes.items():
        checked[image_id] = ImageResult(image_id, images[image_id], displayed_size(images[image_id]), list(boxes))
        rejected.pop(image_id, None)
    here = those_here(known, out, photographs)
    used = [box.class_name for each in checked.values() for box in each.boxes]
    classes = list(dict.fromkeys([*photographs.classes, *used]))
    head = json.dumps({"classes": classes, **({"rejected": rejected} if rejected else {})})
    lines = [head, *(to_line(numbered(each, classes)) for each in checked.values())]
    write_text(out / VERIFIED, "".join(f"{line}\n" for line in lines))
    return here


def read_all(out: Path) -> LookedAt:
    """Return what was looked at before, also photographs that are not there now; classes are numbered as in the file.

    Raises:
        DataError: the file is damaged.
    """
    path = out / VERIFIED
    if not path.exists():
        return LookedAt()
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
        classes, rejected = head_of(first)
        found = [from_line(line, classes) for line in lines]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Remove it, and give --verified again.") from error
    return LookedAt({each.image_id: each for each in found if isinstance(each, ImageResult)}, rejected)


def head_of(line: str) -> tuple[tuple[str, ...], dict[str, list[Sides]]]:
    """Return the names of the classes, and the rejected boxes, that the first line of the file holds.

    Raises:
        ValueError: it holds no names, or what is no box.
    """
    content = json.loads(line)
    names = content.get("classes") if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its first line does not name the classes")
    rejected = content.get("rejected", {})
    if not isinstance(rejected, dict) or not all(map(are_boxes, rejected.values())):
        raise ValueError("what its first line says of rejected photographs is no list of boxes for each")
    return tuple(names), {name: [(x0, y0, x1, y1) for x0, y0, x1, y1 in boxes] for name, boxes in rejected.items()}


def are_boxes(found: object) -> bool:
    """Whether something read from JSON is a list of boxes."""
    if not isinstance(found, list) or not all(isinstance(each, list) and len(each) == 4 for each in found):
        return False
    return all(type(side) in (int, float) for each in found for side in each) and all(is_box(*each) for each in found)


def those_here(known: LookedAt, out: Path, photographs: Photographs) -> LookedAt:
    """Return those of the photographs that there are now, with the numbers that their classes have now.

    Raises:
        DataError: a box is of a class that is none now.
    """
    paths = {image.image_id: image.path for image in photographs.files}
    here = [each for name, each in known.checked.items() if name in paths]
    gone = {box.class_name for each in here for box in each.boxes} - set(photographs.classes)
    if gone:
        raise DataError(
            f"{out / VERIFIED} holds checked boxes of {first_few(sorted(gone))}, but the classes are "
            f"{first_few(photographs.classes)} now. It was left as it is: name the classes as before, or move it away."
        )
    return LookedAt(
        {each.image_id: replace(numbered(each, photographs.classes), path=paths[each.image_id]) for each in here},
        {name: boxes for name, boxes in known.rejected.items() if name in paths},
    )


def numbered(result: ImageResult, classes: Sequence[str]) -> ImageResult:
    """Return a result whose boxes have the numbers of their classes among the given ones."""
    return replace(result, boxes=[box._replace(class_index=classes.index(box.class_name)) for box in result.boxes])


def with_checked(
    records: Iterable[ImageResult | Failure], looked_at: LookedAt, masks: bool = False
) -> Iterator[ImageResult | Failure]:
    """Yield results with the checked boxes in the place of those that were found, and what a person says of each.

    Args:
        records: the results, of all photographs.
        looked_at: the checked boxes, and those that were rejected.
        masks: give checked boxes masks: that of the box that was found there, see ``masked``.
    """
    for each in records:
        if isinstance(each, Failure):
            yield each
        elif (known := looked_at.checked.get(each.image_id)) is not None:
            boxes = [masked(box, known.size, each) for box in known.boxes] if masks else known.boxes
            yield replace(known, boxes=boxes, verdict=ACCEPTED)
        elif (wrong := looked_at.rejected.get(each.image_id)) is not None:
            yield replace(each, verdict=REJECTED if are_those(each, wrong) else OUTDATED)
        else:
            yield each


def are_those(found: ImageResult, wrong: Sequence[Sides]) -> bool:
    """Whether boxes are still those that were rejected: as many, each as it was; also where nobody has said which.

    >>> found = ImageResult("a.jpg", "", (40, 30), [FoundBox((0, 0, 10, 10), 0, "owl", 1, 1)])
    >>> are_those(found, [(0, 0, 10, 10.1)]), are_those(found, [(0, 0, 20, 10)]), are_those(found, [])
    (True, False, True)
    """
    if not wrong:
        return True
    boxes = np.array([box.box for box in found.boxes], np.float64).reshape(-1, 4)
    return len(boxes) == len(wrong) and bool((box_iou(boxes, np.array(wrong)).max(1) >= SAME).all())


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
