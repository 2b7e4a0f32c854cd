"""The file of pseudo boxes: COCO's instances, one box for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wsolkit import DataError, path_below, whole_file
from wsolkit.datasets import ImageDataset, Record
from wsolkit.formats import coco_box, coco_image, corners, read_instances, write_instances

__all__ = ["BOXES", "PseudoBox", "file_name_of", "read_boxes", "write_boxes"]

BOXES = "boxes.json"
DRAWN = "images"
"""Folder for the images of data sets that draw them."""


@dataclass(frozen=True)
class PseudoBox:
    """The pseudo box of one image.

    Attributes:
        image_id: name of the image in its data set.
        file_name: its file, relative to the folder the box file names, or absolute.
        size: (width, height).
        label: its class.
        box: (4,) x0 y0 x1 y1 in pixels of the original image.
        threshold: where the map was cut.
        empty: whether the map gave no box, so that this is the whole image.
    """

    image_id: str
    file_name: str
    size: tuple[int, int]
    label: int
    box: np.ndarray
    threshold: float
    empty: bool = False


def write_boxes(path: str | Path, boxes: Sequence[PseudoBox], classes: Sequence[str], info: Mapping[str, Any]) -> None:
    """Write pseudo boxes as COCO's instances, which the data set ``COCO`` reads; category k + 1 is class k.

    Args:
        path: the file; it appears whole or not at all.
        boxes: one for each image.
        classes: names of the classes, by index.
        info: what is to be known about them, such as how the threshold was chosen.
    """
    numbers = {found.image_id: number for number, found in enumerate(boxes, start=1)}
    write_instances(
        path,
        [coco_image(numbers[each.image_id], each.file_name, each.size, name=each.image_id) for each in boxes],
        [
            coco_box(numbers[each.image_id], each.label, each.box, threshold=each.threshold, empty=each.empty)
            for each in boxes
        ],
        classes,
        info,
    )


def read_boxes(path: str | Path) -> tuple[dict[str, np.ndarray], Mapping[str, Any]]:
    """Return the pseudo box (4,) of each image by its name, and what the file says about them.

    Raises:
        DataError: the file is missing or damaged, no file of pseudo boxes, or holds two of an image.
    """
    if not Path(path).is_file():
        raise DataError(f"The pseudo boxes {path} cannot be opened: No such file or directory. Check the path.")
    try:
        instances = read_instances(path)
        names = {number: str(image["name"]) for number, image in instances.images.items()}
    except (DataError, KeyError, TypeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(
            f"{path} is no file of pseudo boxes: {what} Give the {BOXES} of a PseudoBoxes stage."
        ) from error
    found: dict[str, np.ndarray] = {}
    for number, boxes in instances.annotations.items():
        for annotation in boxes:
            box = np.array(corners(annotation, path), np.float64)
            if (found.setdefault(names[number], box) != box).any():
                raise DataError(f"{path} holds two pseudo boxes of image {names[number]!r}. Run its stage again.")
    return found, instances.info


def file_name_of(dataset: ImageDataset, record: Record, folder: Path) -> str:
    """Return the file of an image for a box file: relative to ``data_root`` where it lies below, else absolute.

    An image that is drawn and has no file is written to ``images`` of ``folder``, and the name is relative to that
    folder.
    """
    if not record["image_path"]:
        file = path_below(folder / DRAWN, record["image_id"], ".png")
        pixels = dataset.read_image(record).permute(1, 2, 0).numpy()
        with whole_file(file) as temporary:
            Image.fromarray(pixels).save(temporary, format="PNG")
        return file.relative_to(folder).as_posix()
    path, root = Path(record["image_path"]), Path(dataset.data_root)
    if dataset.data_root and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return path.absolute().as_posix()
