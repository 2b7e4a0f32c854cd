"""One image of a data set, the same for every layout on disk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NotRequired, TypedDict

from wsolkit.errors import DataError

__all__ = ["Record", "checked_class_names"]


class Record(TypedDict):
    """What a layout says about one image; boxes are x0 y0 x1 y1, half open, pixels of the displayed image."""

    image_id: str
    """Name that is unique in the data set; also the key in every output."""
    image_path: str
    """File to read; empty for images that are generated."""
    labels: list[int]
    """Classes in the image: exactly one for a single-label data set; with the classes of ``difficult_labels``."""
    size: NotRequired[tuple[int, int]]
    """Width and height that the layout's boxes refer to, where it says so."""
    boxes: NotRequired[list[list[float]]]
    box_labels: NotRequired[list[int]]
    difficult: NotRequired[list[bool]]
    difficult_labels: NotRequired[list[int]]
    """Classes that are present only as difficult objects (VOC)."""
    mask_paths: NotRequired[list[str]]
    """Mask files; the layout's ``read_mask`` knows how to read them."""
    ignore_path: NotRequired[str]
    """Mask file of the pixels that are left out of the evaluation (OpenImages)."""
    segmentations: NotRequired[list[Any]]
    """Outline of each box's object: COCO polygons or run lengths."""


def checked_class_names(classes: Iterable[str]) -> tuple[str, ...]:
    r"""Return the names of a data set's classes, each of which is a line of the lists that results come with.

    Raises:
        DataError: a name has a line break.

    >>> checked_class_names(["owl", "sea\neagle"])
    Traceback (most recent call last):
    wsolkit.errors.DataError: The class name 'sea\neagle' has a line break, so that lists of classes ... Rename it.
    """
    names = tuple(classes)
    for name in names:
        if "\n" in name or "\r" in name:
            raise DataError(
                f"The class name {name!r} has a line break, so that lists of classes would name another class behind "
                "it. Rename it."
            )
    return names
