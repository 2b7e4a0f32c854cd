"""COCO instance files, read and written: half-open boxes are x, y, width, height there.

Classes count from 0 and categories from 1; images are numbered from 1. A file that was written elsewhere may have any
ids.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from wsolkit.errors import DataError
from wsolkit.files import whole_file
from wsolkit.formats.checked_boxes import checked_box, is_box
from wsolkit.formats.coco_entries import (
    annotations_by_image,
    categories_by_id,
    checked_content,
    each_file_once,
    images_by_id,
    shown,
)
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.formats.found_masks import FoundMask, polygons
from wsolkit.formats.writer import Writer
from wsolkit.text_files import read_json

__all__ = [
    "DIGITS",
    "OURS",
    "CocoWriter",
    "DataSetFile",
    "Instances",
    "bbox_of",
    "coco_box",
    "coco_image",
    "corners",
    "read_instances",
    "segmentations",
    "write_instances",
]

DIGITS = 2
"""Coordinates of found boxes are written to a hundredth of a pixel."""
OURS = "Boxes found by wsolkit"
"""What a data set of found boxes says about itself."""


@dataclass
class Instances:
    """What a COCO file says.

    Attributes:
        path: the file, for errors.
        images: the image entries by id.
        categories: category id to name, in the order of the ids.
        annotations: the annotations by image id.
        info: what the file says about itself; empty where it says nothing.
    """

    path: Path
    images: dict[Any, dict]
    categories: dict[Any, str]
    annotations: dict[Any, list[dict]] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)


def read_instances(path: str | Path) -> Instances:
    """Read a COCO instance file and check that its ids refer to one another; boxes are not looked at.

    Raises:
        DataError: the file is missing or no such JSON, an entry has a wrong type, an id is unknown, or entries
            contradict each other.
    """
    path = Path(path)
    content = checked_content(read_json(path, "COCO file"), path)
    images, categories = images_by_id(content, path), categories_by_id(content, path)
    grouped = annotations_by_image(content, images, categories, path)
    info = content.get("info")
    return Instances(
        path, each_file_once(images, grouped, path), categories, grouped, info if isinstance(info, dict) else {}
    )


def corners(annotation: dict, path: str | Path) -> list[float]:
    """Return the box of an annotation as x0, y0, x1, y1, half open.

    Raises:
        DataError: it is not four numbers, or no box that an image can have.

    >>> corners({"bbox": [1, 2, 10, 20]}, "instances.json")
    [1.0, 2.0, 11.0, 22.0]
    """
    box = annotation.get("bbox")
    try:
        if not isinstance(box, list):
            raise TypeError
        x, y, width, height = map(float, box)
    except (OverflowError, TypeError, ValueError):
        raise DataError(
            f"COCO file {path}: the bbox of annotation {annotation.get('id')} should be four numbers x, y, width, "
            f"height, but got {shown(box)}. Correct it."
        ) from None
    found = [x, y, x + width, y + height]
    if not is_box(*found):  # the words for it are not made for every box of a large file
        checked_box(found, f"COCO file {path}, annotation {annotation.get('id')}")
    return found


def bbox_of(box: Iterable[float], digits: int | None = None) -> list[float]:
    """Return a half-open box as COCO's x, y, width, height, to so many digits.

    >>> bbox_of((1.0, 2.0, 11.004, 22.0), digits=2)
    [1.0, 2.0, 10.0, 20.0]
    """
    x0, y0, x1, y1 = (float(side) for side in box)
    sides = (x0, y0, x1 - x0, y1 - y0)
    return list(sides) if digits is None else [round(side, digits) for side in sides]


def coco_image(number: int, file_name: str, size: tuple[int, int], **more: Any) -> dict[str, Any]:
    """Return the entry of an image: its number from 1, its file and its (width, height), and what else is to be known.

    >>> coco_image(1, "a.jpg", (8, 6), name="a")
    {'id': 1, 'file_name': 'a.jpg', 'width': 8, 'height': 6, 'name': 'a'}
    """
    return {"id": number, "file_name": file_name, "width": size[0], "height": size[1], **more}


def coco_box(image: int, label: int, box: Iterable[float], digits: int | None = None, **more: Any) -> dict[str, Any]:
    """Return the entry of a box in COCO's results: the image's number, the class counted from 1, and the box.

    >>> coco_box(1, 0, (1.0, 2.0, 4.0, 3.0), score=0.5)
    {'image_id': 1, 'category_id': 1, 'bbox': [1.0, 2.0, 3.0, 1.0], 'score': 0.5}
    """
    return {"image_id": image, "category_id": label + 1, "bbox": bbox_of(box, digits), **more}


def numbered(number: int, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a box as an annotation of a data set: with an id, an area and no crowd."""
    _, _, width, height = found["bbox"]
    place = {key: found[key] for key in ("image_id", "category_id", "bbox")}
    return {"id": number, **place, "area": round(width * height, 2), "iscrowd": 0, **found}


def categories_of(classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the categories of the classes: class k is category k + 1."""
    return [{"id": number, "name": name, "supercategory": ""} for number, name in enumerate(classes, start=1)]


def write_instances(
    path: str | Path,
    images: Iterable[Mapping[str, Any]],
    boxes: Iterable[Mapping[str, Any]],
    classes: Sequence[str],
    info: Mapping[str, Any] | None = None,
) -> None:
    """Write an instances file, whole or not at all.

    Args:
        path: the file.
        images: entries of ``coco_image``.
        boxes: entries of ``coco_box``; they are numbered, and may bring their own ``area`` and ``segmentation``.
        classes: names of the classes, by index.
        info: what is to be known about the file.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "boxes.json"
    >>> write_instances(path, [coco_image(1, "a.jpg", (8, 6))], [coco_box(1, 0, (1, 2, 4, 3))], ["owl"])
    >>> found = read_instances(path)
    >>> found.categories, corners(found.annotations[1][0], path)
    ({1: 'owl'}, [1.0, 2.0, 4.0, 3.0])
    """
    content = {
        "info": dict(info or {}),
        "images": list(images),
        "annotations": [numbered(number, found) for number, found in enumerate(boxes, start=1)],
        "categories": categories_of(classes),
    }
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file)


def scores_of(found: FoundBox) -> dict[str, float]:
    """Return what is said of a box beside its place: the scores, and the doubt where there is one."""
    doubt = {} if found.doubt is None else {"doubt": round(found.doubt, 6)}
    return {"score": found.score, "map_score": found.map_score, **doubt}


def segmentations(mask: FoundMask | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a mask adds to a result, exact run lengths, and to an object of a data set, polygons and area.

    Nothing is added for no mask and for an empty one.
    """
    inside = None if mask is None else mask.inside()
    if mask is None or inside is None or not inside.any():
        return {}, {}
    outlines = [[round(side, DIGITS) for side in each] for each in polygons(inside)]
    return {"segmentation": mask.coco()}, {"segmentation": outlines, "area": int(inside.sum())}


class DataSetFile:
    """An instances file that is written image by image; the annotations wait in a file beside it.

    Args:
        path: the file.
        head: what stands before the images.

    Attributes:
        images: how many images were written.
    """

    def __init__(self, path: Path, head: Mapping[str, Any]) -> None:
        self._files = ExitStack()
        self._images = _List(self._files.enter_context(path.open("w", encoding="utf-8")))
        self._images.file.write(json.dumps(head).removesuffix("}") + ',\n"images": ')
        self._later = path.with_name(f"{path.name}.annotations")
        self._annotations = _List(self._files.enter_context(self._later.open("w+", encoding="utf-8")))

    @property
    def images(self) -> int:
        """How many images were written."""
        return self._images.count

    def add(self, image: Mapping[str, Any], boxes: Iterable[Mapping[str, Any]]) -> None:
        """Write an image, an entry of ``coco_image``, and its boxes, entries of ``coco_box``."""
        self._images.add(image)
        for box in boxes:
            self._annotations.add(numbered(self._annotations.count + 1, box))

    def end(self, classes: Sequence[str]) -> None:
        """Put the annotations and the categories behind the images."""
        for each in (self._images, self._annotations):
            each.end()
        self._annotations.file.seek(0)
        self._images.file.write(',\n"annotations": ')
        shutil.copyfileobj(self._annotations.file, self._images.file)
        self._images.file.write(f',\n"categories": {json.dumps(categories_of(classes))}}}\n')
        self.leave()

    def leave(self) -> None:
        """Close the file and remove the one beside it."""
        self._files.close()
        self._later.unlink(missing_ok=True)


class CocoWriter(Writer):
    """``boxes.json``, COCO's results list, and ``dataset.json``, the same boxes as a data set to train on.

    Masks are run lengths in the results, exact to the pixel, and polygons in the data set: there a list of run lengths
    means a crowd to most tools.
    """

    outputs = ("boxes.json", "dataset.json")

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any], export: Export = PLAIN) -> None:
        super().__init__(folder, classes, about, export)
        self._number = 0
        self._file = self.draft("boxes.json").open("w", encoding="utf-8")
        self._results = _List(self._file)
        self._data_set = DataSetFile(self.draft("dataset.json"), {"info": {"description": OURS, **self.about}})

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image and its boxes."""
        self._number += 1
        if isinstance(result, Failure):
            return
        annotations = []
        for found in result.boxes:
            entry = coco_box(self._number, found.class_index, found.box, DIGITS, **scores_of(found))
            notes = result.notes.get(found.class_index)
            more = {"notes": notes} if notes else {}
            runs, outlines = segmentations(found.mask)
            self._results.add({**entry, **runs, **more})
            annotations.append({**entry, **outlines})
        self._data_set.add(coco_image(self._number, result.image_id, result.size), annotations)

    def close(self) -> None:
        """Complete both files."""
        self._results.end()
        self._file.close()
        self._data_set.end(self.classes)

    def __exit__(self, *error: Any) -> None:
        self._file.close()
        self._data_set.leave()
        super().__exit__(*error)


class _List:
    """A JSON list that is written item by item."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.count = 0

    def add(self, item: Mapping[str, Any]) -> None:
        self.file.write(("," if self.count else "[") + "\n" + json.dumps(item))
        self.count += 1

    def end(self) -> None:
        self.file.write("\n]" if self.count else "[]")
