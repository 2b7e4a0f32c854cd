"""Boxes that a person has checked, of some photographs, from the file of whatever tool it was done in."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsolkit.datasets.layouts.boxes_beside import add_to_record
from wsolkit.datasets.record import Record
from wsolkit.datasets.targets import image_targets
from wsolkit.errors import DataError, first_few
from wsolkit.formats.box_files import read_boxes
from wsolkit.formats.coco import OURS, corners, read_instances
from wsolkit.formats.found_boxes import REJECTED, FoundBox
from wsolkit.formats.image_headers import displayed_size
from wsolkit.formats.image_names import ImageNames
from wsolkit.text_files import read_json

__all__ = ["VERDICTS", "Sides", "Verified", "counted", "read_verified"]

VERDICTS = "verdicts of wsolkit"
"""What a file of the page says about itself: its images have a ``verdict``, ``accepted`` or ``rejected``."""

Sides = tuple[float, float, float, float]
"""A box x0, y0, x1, y1, in pixels of its photograph, half open."""


@dataclass
class Verified:
    """What a person has checked.

    Attributes:
        boxes: the checked boxes by image id; an empty list where a person has seen that nothing is there.
        rejected: photographs whose boxes a person found wrong, without saying where the right ones are, with these
            boxes; none where the file does not say.
        unmatched: what the file names and is none of the photographs.
        found: whether the file is one of found boxes, so that it may list photographs that nobody has looked at.
    """

    boxes: dict[str, list[FoundBox]] = field(default_factory=dict)
    rejected: dict[str, list[Sides]] = field(default_factory=dict)
    unmatched: list[str] = field(default_factory=list)
    found: bool = False

    @property
    def told(self) -> str:
        """What was found, in a sentence or more.

        >>> Verified({"a.jpg": []}, {"b.jpg": []}, ["z.jpg"]).told
        "1 photograph is checked, 1 of them without a box; 1 is rejected; 1 name is of no photograph here: 'z.jpg'."
        """
        empty = sum(not boxes for boxes in self.boxes.values())
        parts = [
            f"{counted(len(self.boxes), 'photograph')} checked" + (f", {empty} of them without a box" * bool(empty))
        ]
        if self.rejected:
            parts.append(f"{len(self.rejected)} {'is' if len(self.rejected) == 1 else 'are'} rejected")
        if self.unmatched:
            parts.append(f"{counted(len(self.unmatched), 'name')} of no photograph here: {first_few(self.unmatched)}")
        if self.found:
            parts.append("the file began as boxes that wsolkit found: keep only what somebody has looked at in it")
        return "; ".join(parts) + "."


def counted(number: int, what: str) -> str:
    """Return a number of things with its verb.

    >>> counted(1, "photograph"), counted(2, "photograph")
    ('1 photograph is', '2 photographs are')
    """
    return f"{number} {what} is" if number == 1 else f"{number} {what}s are"


def read_verified(
    path: str | Path,
    images: Mapping[str, str],
    classes: Sequence[str],
    labels: Mapping[str, Sequence[int]] | None = None,
) -> Verified:
    """Read the boxes of the photographs that a person has checked.

    Photographs are found by their ids, or by the names of their files where paths differ. Every photograph that the
    file lists counts as checked, except tasks of Label Studio that nobody has annotated and what was rejected on the
    page.

    Args:
        path: COCO's or Label Studio's ``.json``, CVAT's ``.xml``, a table ``.csv``, a folder of VOC's or YOLO's, or
            ``verdicts.json`` of the page.
        images: the path of each photograph by its id.
        classes: names of the classes, by index.
        labels: the classes of each photograph, for boxes whose file says none.

    Raises:
        DataError: the file is missing or malformed, names a class that is none, or no photograph is in it.
    """
    path = Path(path)
    missing: list[str] = []
    rejected = rejected_in(path)
    began = description_of(path) == OURS
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*numbers count only where somebody has corrected")  # told says it
        ids = {name: name for name in images}
        found = read_boxes(path, ImageNames(images), ids, lambda name: displayed_size(images[name]), (), missing)
    names = ImageNames(images)
    wrong = {photo: boxes for name, boxes in rejected.items() if (photo := names.find(name)) is not None}
    verified = Verified(unmatched=missing, rejected=wrong, found=began)
    for image_id, each in found.items():
        if image_id in verified.rejected:
            continue
        own = (labels or {}).get(image_id, [0] if len(classes) == 1 else [])
        record: Record = {"image_id": image_id, "image_path": images[image_id], "labels": list(own)}
        add_to_record(record, each, classes)
        targets = image_targets(record, displayed_size(images[image_id]), None)
        verified.boxes[image_id] = [
            FoundBox((x0, y0, x1, y1), label, classes[label], 1.0, 1.0, 0.0)
            for (x0, y0, x1, y1), label in zip(targets.boxes.tolist(), targets.box_labels.tolist(), strict=True)
        ]
    if not verified.boxes and not verified.rejected:
        raise DataError(
            f"{path} names none of the {len(images)} photographs: {first_few(missing)}. Give the file that was "
            "exported for these photographs."
        )
    return verified


def rejected_in(path: Path) -> dict[str, list[Sides]]:
    """Return the photographs whose boxes were rejected, as a file of the page calls them, with these boxes.

    Raises:
        DataError: a box is none.
    """
    if description_of(path) != VERDICTS:
        return {}
    images = [image for image in read_instances(path).images.values() if image.get("verdict") == REJECTED]
    return {image["file_name"]: [sides(box, image, path) for box in boxes_in(image)] for image in images}


def boxes_in(image: dict[str, Any]) -> list[Any]:
    """Return the rejected boxes that an image of the page's file names."""
    boxes = image.get("rejected")
    return boxes if isinstance(boxes, list) else []


def sides(box: Any, image: dict[str, Any], path: Path) -> Sides:
    """Return a rejected box, x y width height in the page's file.

    Raises:
        DataError: it is none.
    """
    x0, y0, x1, y1 = corners({"id": f"of the rejected {image['file_name']!r}", "bbox": box}, path)
    return x0, y0, x1, y1


def description_of(path: Path) -> object:
    """Return how a ``.json`` describes itself in its ``info``; None where it does not, or is another file."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return None
    content = read_json(path, "Boxes")
    info = content.get("info") if isinstance(content, dict) else None
    return info.get("description") if isinstance(info, dict) else None
