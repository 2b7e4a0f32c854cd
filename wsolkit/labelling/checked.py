"""The photographs that a person has checked: kept beside the labels, so that no later run loses them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from wsolkit.errors import DataError
from wsolkit.files import write_text
from wsolkit.formats.found_boxes import Failure, ImageResult, from_line, to_line
from wsolkit.formats.image_headers import displayed_size
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import VERIFIED
from wsolkit.labelling.verified import read_verified

__all__ = ["Checked", "read_checked", "take_verified", "with_checked"]

Checked = dict[str, ImageResult]
"""The checked boxes of photographs, by name; an empty list of boxes where nothing is there."""


def read_checked(out: Path, photographs: Photographs) -> Checked:
    """Return what was checked before, of the photographs there are now.

    Raises:
        DataError: the file is damaged.
    """
    path = out / VERIFIED
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = [from_line(line, photographs.classes) for line in lines]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Remove it, and give --verified again.") from error
    here = {image.image_id: image.path for image in photographs.files}
    return {
        each.image_id: ImageResult(each.image_id, here[each.image_id], each.size, each.boxes)
        for each in found
        if isinstance(each, ImageResult) and each.image_id in here
    }


def take_verified(path: str | Path, out: Path, photographs: Photographs) -> tuple[Checked, str]:
    """Read a file of checked boxes, put it with what was checked before, and say what was found.

    Raises:
        DataError: it cannot be read, or names no photograph.
    """
    images = {image.image_id: image.path for image in photographs.files}
    found = read_verified(path, images, photographs.classes, photographs.labels)
    checked = read_checked(out, photographs)
    for image_id, boxes in found.boxes.items():
        checked[image_id] = ImageResult(image_id, images[image_id], displayed_size(images[image_id]), list(boxes))
    write_text(out / VERIFIED, "".join(to_line(each) + "\n" for each in checked.values()))
    return checked, found.told


def with_checked(records: Iterable[ImageResult | Failure], checked: Checked) -> Iterator[ImageResult | Failure]:
    """Yield results with the checked boxes in the place of those that were found."""
    for each in records:
        yield checked.get(each.image_id, each) if isinstance(each, ImageResult) else each
