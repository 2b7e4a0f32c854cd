"""One image of a data set, the same for every layout on disk."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

__all__ = ["Record"]


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
