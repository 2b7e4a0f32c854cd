"""CVAT's files: "CVAT for images" 1.1 is read, COCO as CVAT imports it is written."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from wsolkit.errors import DataError, shortened
from wsolkit.formats.checked_boxes import MOST_PIXELS, checked_box, checked_size
from wsolkit.formats.coco import DIGITS, DataSetFile, coco_box, coco_image, segmentations
from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.tool_boxes import ToolImage, turned_hull
from wsolkit.formats.writer import Writer
from wsolkit.formats.xml_files import read_xml

__all__ = ["CvatWriter", "read_cvat"]

READ = ("box", "polygon", "mask")
"""Shapes that boxes are made of; ``tag`` says something of the whole photograph."""


def read_cvat(path: str | Path) -> list[ToolImage]:
    """Return the boxes of a file of "CVAT for images"; polygons and masks count with the box around them.

    A photograph without a shape is one that was checked and shows nothing. A box that is turned becomes the upright one
    around it, with a warning; points, lines and ellipses are left out, with a warning too.

    Raises:
        DataError: the file is missing, no XML or another kind of it, or a shape is malformed.
    """
    what = f"Annotation {path}"
    root = read_xml(path, what)
    if root.tag != "annotations":
        hint = "Give the folder of the VOC files." if root.tag == "annotation" else "Export 'CVAT for images 1.1'."
        raise DataError(f"{what} holds <{root.tag}> instead of <annotations>: it is no file of CVAT. {hint}")
    if root.find("track") is not None:
        raise DataError(f"{what} is of 'CVAT for video', whose tracks are not read. Export 'CVAT for images 1.1'.")
    found, turned, others = [], 0, set()
    for image in root.findall("image"):
        name = image.get("name") or ""
        where = f"{what}, image {shortened(name)!r}"
        if not name:
            raise DataError(f"{what} has an image without a name. Give it one.")
        width, height = (number_of(image, key, where, 0.0) for key in ("width", "height"))
        shapes = [shape for shape in image if shape.tag in READ]
        others |= {shape.tag for shape in image} - {*READ, "tag"}
        turned += sum(number_of(shape, "rotation", where, 0.0) != 0 for shape in shapes)
        boxes = [checked_box(box_of(shape, where), where) for shape in shapes]
        classes: list[str | None] = [shape.get("label") or None for shape in shapes]
        found.append(ToolImage(name, checked_size(width, height, where), boxes, classes, where))
    if not found:
        raise DataError(f"{what} has no image. Export 'CVAT for images 1.1'.")
    if turned:
        warnings.warn(f"{path}: {turned} boxes are turned; the upright box around each is read.", stacklevel=2)
    if others:
        warnings.warn(f"{path}: {', '.join(sorted(others))} are no boxes and are left out.", stacklevel=2)
    return found


def box_of(shape: ElementTree.Element, where: str) -> list[float]:
    """Return the box around a shape, x0, y0, x1, y1."""
    if shape.tag == "mask":
        left, top, width, height = (number_of(shape, key, where) for key in ("left", "top", "width", "height"))
        return [left, top, left + width, top + height]
    if shape.tag == "polygon":
        points = [each.split(",") for each in (shape.get("points") or "").split(";")]
        try:
            return turned_hull([(float(x), float(y)) for x, y in points], 0, (0, 0))
        except ValueError:
            raise DataError(
                f"{where}: the points of a polygon should be x,y;x,y;..., but got "
                f"{shortened(shape.get('points') or '')!r}. Correct them."
            ) from None
    x0, y0, x1, y1 = (number_of(shape, key, where) for key in ("xtl", "ytl", "xbr", "ybr"))
    angle = number_of(shape, "rotation", where, 0.0)
    if not angle:
        return [x0, y0, x1, y1]
    return turned_hull([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], angle, ((x0 + x1) / 2, (y0 + y1) / 2))


def number_of(element: ElementTree.Element, key: str, where: str, default: float | None = None) -> float:
    """Return a number of an element.

    Raises:
        DataError: it is missing without a default, no number, or larger than any image.
    """
    text = element.get(key)
    try:
        number = float(text) if text is not None else default
    except ValueError:
        number = None
    if number is None or not math.isfinite(number) or abs(number) > MOST_PIXELS:
        raise DataError(f"{where}: {key} of <{element.tag}> should be a number, but got {text!r}. Correct it.")
    return number


class CvatWriter(Writer):
    """``cvat.json``: COCO as CVAT imports it into a task whose photographs have the same names.

    Categories and ids count from 1, every annotation has a segmentation, an area and attributes, and nothing else.
    """

    outputs = ("cvat.json",)
    to_correct = True

    def __init__(self, folder: Path, *arguments: Any, **more: Any) -> None:
        super().__init__(folder, *arguments, **more)
        head: Mapping[str, Any] = {
            "licenses": [{"name": "", "id": 0, "url": ""}],
            "info": {"contributor": "", "date_created": "", "description": "", "url": "", "version": "", "year": ""},
        }
        self._file = DataSetFile(self.draft("cvat.json"), head)

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image and its boxes."""
        if isinstance(result, Failure):
            return
        rest = {"license": 0, "flickr_url": "", "coco_url": "", "date_captured": 0}
        number = self._file.images + 1
        boxes = []
        for found in result.boxes:
            box = coco_box(number, found.class_index, found.box, DIGITS, attributes={"occluded": False})
            boxes.append({**box, "segmentation": [], **segmentations(found.mask)[1]})
        self._file.add(coco_image(number, result.image_id, result.size, **rest), boxes)

    def close(self) -> None:
        """Complete the file."""
        self._file.end(self.classes)

    def __exit__(self, *error: Any) -> None:
        self._file.leave()
        super().__exit__(*error)
