"""Reads boxes for images in folders: one CSV, one COCO JSON, or a folder of PASCAL VOC's or YOLO's files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from wsolkit.errors import DataError
from wsolkit.formats.coco import corners, read_instances
from wsolkit.formats.csv_boxes import read_csv_boxes
from wsolkit.formats.voc import image_size, object_boxes
from wsolkit.formats.yolo import read_labels, read_names

__all__ = ["ImageBoxes", "read_boxes"]


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


Measure = Callable[[str], tuple[int, int]]
"""Gives the (width, height) of an image by its id."""


def read_boxes(path: Path, find: Find, images: Mapping[str, str], measure: Measure) -> dict[str, ImageBoxes]:
    """Return the boxes by image id.

    Args:
        path: a ``.csv`` file with lines ``path,x0,y0,x1,y1[,class]`` (half open, in pixels; a heading may say where the
            columns are), a ``.json`` file in COCO's format, a folder of PASCAL VOC's XML files named and nested like
            the images, or a folder of YOLO's with ``labels`` and ``data.yaml`` or ``classes.txt``.
        find: finds the image id for a path that the file writes.
        images: image id to its path without split folder, whose suffix is replaced for XML and YOLO.
        measure: gives the size of an image, where the boxes are fractions of it.

    Raises:
        DataError: the file is missing, malformed, or names an image that is not there.
    """
    if (path / "labels").is_dir():
        return read_yolo_folder(path, images, measure)
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
    for each in read_csv_boxes(path):
        where = f"{path}, line {each.line}"
        image_id = find(each.image)
        if image_id is None:
            raise unknown_image(where, each.image)
        boxes = found.setdefault(image_id, ImageBoxes([], [], [], None, where))
        boxes.boxes.append(list(each.box))
        boxes.names.append(each.class_name)
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
    for image_id, path in named_like(images, folder, ".xml"):
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


def read_yolo_folder(folder: Path, images: Mapping[str, str], measure: Measure) -> dict[str, ImageBoxes]:
    """Return the boxes of the images that have a label file, nested like the image or directly in ``labels``."""
    classes = read_names(folder)
    found = {}
    for image_id, path in named_like(images, folder / "labels", ".txt"):
        size = measure(image_id)
        boxes = read_labels(path, size, classes)
        found[image_id] = ImageBoxes(
            [list(one.box) for one in boxes],
            [classes[one.label] for one in boxes],
            [False] * len(boxes),
            size,
            f"Labels {path}",
        )
    if not found:
        raise DataError(f"None of the {len(images)} images has a .txt file in {folder / 'labels'}. Name them alike.")
    return found


def named_like(images: Mapping[str, str], folder: Path, suffix: str) -> Iterator[tuple[str, Path]]:
    """Yield (image id, file) of the images that have a file in a folder, nested like the image or directly in it."""
    for image_id, relative in images.items():
        nested = PurePosixPath(relative).with_suffix(suffix)
        path = next((each for each in (folder / nested, folder / nested.name) if each.exists()), None)
        if path is not None:
            yield image_id, path
