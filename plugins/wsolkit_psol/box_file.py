"""The file of pseudo boxes: COCO's instances, one box for each image."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wsolkit import DataError, whole_file
from wsolkit.datasets import ImageDataset, Record

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
    images, annotations = [], []
    for number, found in enumerate(boxes, start=1):
        width, height = found.size
        x0, y0, x1, y1 = found.box.tolist()
        images.append(
            {"id": number, "file_name": found.file_name, "width": width, "height": height, "name": found.image_id}
        )
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": found.label + 1,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": (x1 - x0) * (y1 - y0),
                "iscrowd": 0,
                "threshold": found.threshold,
                "empty": found.empty,
            }
        )
    categories = [{"id": label + 1, "name": name} for label, name in enumerate(classes)]
    content = {"info": dict(info), "images": images, "annotations": annotations, "categories": categories}
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file)


def read_boxes(path: str | Path) -> tuple[dict[str, np.ndarray], Mapping[str, Any]]:
    """Return the pseudo box (4,) of each image by its name, and what the file says about them.

    Raises:
        DataError: the file is missing or damaged, or no file of pseudo boxes.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        names = {image["id"]: image["name"] for image in content["images"]}
        found = {}
        for annotation in content["annotations"]:
            x, y, width, height = annotation["bbox"]
            found[names[annotation["image_id"]]] = np.array([x, y, x + width, y + height], np.float64)
        return found, content.get("info") or {}
    except OSError as error:
        raise DataError(f"The pseudo boxes {path} cannot be opened: {error.strerror}. Check the path.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is no file of pseudo boxes ({type(error).__name__}: {error}). Give the {BOXES} of a PseudoBoxes "
            "stage."
        ) from error


def file_name_of(dataset: ImageDataset, record: Record, folder: Path) -> str:
    """Return the file of an image for a box file: relative to ``data_root`` where it lies below, else absolute.

    An image that is drawn and has no file is written to ``images`` of ``folder``, and the name is relative to that
    folder.
    """
    if not record["image_path"]:
        name = f"{DRAWN}/{record['image_id']}.png"
        pixels = dataset.read_image(record).permute(1, 2, 0).numpy()
        with whole_file(folder / name) as temporary:
            Image.fromarray(pixels).save(temporary, format="PNG")
        return name
    path, root = Path(record["image_path"]), Path(dataset.data_root)
    if dataset.data_root and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return path.absolute().as_posix()
