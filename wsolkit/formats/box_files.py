"""Reads boxes for images in folders: from one CSV, one COCO JSON, or a folder of PASCAL VOC XML files."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from wsolkit.errors import DataError
from wsolkit.formats.coco_json import corners, read_instances
from wsolkit.formats.text_lists import malformed
from wsolkit.formats.voc_xml import image_size, object_boxes

__all__ = ["ImageBoxes", "read_boxes"]

COLUMNS = "path,x0,y0,x1,y1[,class]"


class ImageBoxes(NamedTuple):
    """Boxes of one image, half open, with the name of each one's class (None: the image's own).

    ``size`` is the (width, height) they refer to, None for that of the image file. ``source`` is where they are from.
    """

    boxes: list[list[float]]
    names: list[str | None]
    difficult: list[bool]
    size: tuple[int, int] | None
    source: str


Find = Callable[[str], str | None]
"""Finds the image id for a path that a box file writes; None for no such image."""


def read_boxes(path: Path, find: Find, images: Mapping[str, str]) -> dict[str, ImageBoxes]:
    """Return the boxes by image id.

    Args:
        path: a ``.csv`` file with lines ``path,x0,y0,x1,y1[,class]`` (half open, in pixels; a heading is skipped), a
            ``.json`` file in COCO's format, or a folder of XML files named and nested like the images.
        find: finds the image id for a path that the file writes.
        images: image id to its path without split folder, whose suffix is replaced for XML.

    Raises:
        DataError: the file is missing, malformed, or names an image that is not there.
    """
    if path.is_dir():
        return read_xml_folder(path, images)
    if path.suffix.lower() == ".json":
        return read_coco(path, find)
    if path.suffix.lower() == ".csv":
        return read_csv(path, find)
    raise DataError(f"Boxes should be a .csv file, a .json file or a folder of .xml files, but none is at {path}.")


def unknown_image(where: str, name: str) -> DataError:
    """Return the error about boxes of an image that is not there."""
    return DataError(f"{where}: there is no image {name!r}. Write its path relative to data_root or the split folder.")


def read_csv(path: Path, find: Find) -> dict[str, ImageBoxes]:
    """Return the boxes of a CSV file by image id."""
    found: dict[str, ImageBoxes] = {}
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise DataError(f"Boxes {path} cannot be opened: {error.strerror or error}. Check the path.") from error
    for number, row in enumerate(rows, start=1):
        if not row or [cell.strip() for cell in row[1:5]] == ["x0", "y0", "x1", "y1"]:
            continue
        try:
            box = [float(cell) for cell in row[1:5]]
        except ValueError:
            box = []
        if len(row) not in (5, 6) or len(box) != 4 or not all(map(math.isfinite, box)):
            raise malformed(path, number, ",".join(row), COLUMNS)
        image_id = find(row[0].strip())
        if image_id is None:
            raise unknown_image(f"{path}, line {number}", row[0])
        boxes = found.setdefault(image_id, ImageBoxes([], [], [], None, f"{path}, line {number}"))
        boxes.boxes.append(box)
        boxes.names.append(row[5].strip() or None if len(row) == 6 else None)
        boxes.difficult.append(False)
    return found


def read_coco(path: Path, find: Find) -> dict[str, ImageBoxes]:
    """Return the boxes of a COCO file by image id; crowds are difficult."""
    instances = read_instances(path)
    found = {}
    for number, image in instances.images.items():
        image_id = find(image["file_name"])
        if image_id is None:
            raise unknown_image(f"COCO file {path}, image {number}", image["file_name"])
        annotations = instances.annotations.get(number, [])
        size = (image["width"], image["height"]) if image.get("width") and image.get("height") else None
        found[image_id] = ImageBoxes(
            [corners(annotation, path) for annotation in annotations],
            [instances.categories[annotation["category_id"]] for annotation in annotations],
            [bool(annotation.get("iscrowd", 0)) for annotation in annotations],
            size,
            f"COCO file {path}, image {number}",
        )
    return found


def read_xml_folder(folder: Path, images: Mapping[str, str]) -> dict[str, ImageBoxes]:
    """Return the boxes of the images that have an XML file, nested like the image or directly in the folder."""
    found = {}
    for image_id, relative in images.items():
        nested = PurePosixPath(relative).with_suffix(".xml")
        path = next((p for p in (folder / nested, folder / nested.name) if p.exists()), None)
        if path is None:
            continue
        objects = object_boxes(path)
        found[image_id] = ImageBoxes(
            [list(one.box) for one in objects],
            [one.name for one in objects],
            [one.difficult for one in objects],
            image_size(path),
            f"Annotation {path}",
        )
    if not found:
        raise DataError(f"None of the {len(images)} images has an .xml file in {folder}. Name them like the images.")
    return found
