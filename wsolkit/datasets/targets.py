"""What evaluation may see of an image, made of its record: boxes and mask at the size of the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wsolkit.datasets.record import Record
from wsolkit.errors import DataError
from wsolkit.evaluation.class_masks import fit_mask
from wsolkit.interfaces import Targets

__all__ = ["ROUNDING", "check_masks", "image_targets"]

ROUNDING = 0.5
"""Pixels that a box may stick out of its image and still be what a tool rounded."""


def image_targets(record: Record, size: tuple[int, int], mask: np.ndarray | None) -> Targets:
    """Return what evaluation may see of an image whose file is ``size`` = (width, height) large.

    Args:
        record: the image's record; boxes are scaled from the size it states, if any, and begin at the image's edge
            where rounding put them outside.
        size: (width, height) of the image.
        mask: its class mask, at any size, or None.

    Raises:
        DataError: the record's size for the image is that of the image lying on its side.

    >>> record = {"image_id": "a", "image_path": "", "labels": [0], "size": (8, 8), "boxes": [[0, 2, 4, 8]]}
    >>> image_targets(record, (16, 8), None).boxes.tolist()
    [[0.0, 2.0, 8.0, 8.0]]
    """
    boxes = np.asarray(record.get("boxes", []), dtype=np.float32).reshape(-1, 4)
    edge = (boxes < 0) & (boxes >= -ROUNDING)
    boxes[:, :2] = np.where(edge[:, :2], 0, boxes[:, :2])
    stated = record.get("size", size)
    if stated != size:
        boxes = boxes * box_scale(record, stated, size)
    return Targets(
        size=size,
        boxes=boxes,
        box_labels=np.asarray(record.get("box_labels", [0] * len(boxes)), dtype=np.int64),
        difficult=np.asarray(record.get("difficult", [False] * len(boxes)), dtype=bool),
        mask=None if mask is None else fit_mask(mask, size),
    )


def box_scale(record: Record, stated: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return the (4,) factors that take boxes from the ``stated`` (width, height) to that of the file.

    Raises:
        DataError: one size is the other turned by 90 degrees, so the boxes were drawn on an image lying on its side.
    """
    if stated[::-1] == size:
        raise DataError(
            f"The boxes of {record['image_path']} are for {stated[0]}x{stated[1]} pixels, but the image is shown as "
            f"{size[0]}x{size[1]}: they were drawn before it was turned upright. Store the image without an EXIF "
            "orientation, or turn its boxes."
        )
    x, y = size[0] / stated[0], size[1] / stated[1]
    return np.array([x, y, x, y], dtype=np.float32)


def check_masks(record: Record) -> None:
    """Check that the mask files of an image are there.

    Raises:
        DataError: one is missing.
    """
    for path in (*record.get("mask_paths", ()), *([record["ignore_path"]] if record.get("ignore_path") else ())):
        if not Path(path).is_file():
            raise DataError(
                f"Mask {path} of image {record['image_id']!r} does not exist. Give --masks, the folder that the paths "
                "of masks in localization.txt are relative to (default: --images)."
            )
