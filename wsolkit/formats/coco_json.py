"""Reads COCO instance files, whose boxes are x, y, width, height, as half-open boxes."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from wsolkit.errors import DataError
from wsolkit.evaluation.class_masks import IGNORED, mask_value

__all__ = ["Instances", "class_mask", "corners", "read_instances"]


@dataclass
class Instances:
    """What a COCO file says.

    Attributes:
        path: the file, for errors.
        images: the image entries by id.
        categories: category id to name, in the order of the ids.
        annotations: the annotations by image id.
    """

    path: Path
    images: dict[Any, dict]
    categories: dict[int, str]
    annotations: dict[Any, list[dict]] = field(default_factory=dict)


def read_instances(path: str | Path) -> Instances:
    """Read a COCO instance file and check that its ids refer to one another; boxes are not looked at.

    Raises:
        DataError: the file is missing or no such JSON, an id is unknown, or two entries share one.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"COCO file {path} cannot be opened: {error.strerror or error}. Check its path.") from error
    except ValueError as error:
        raise DataError(f"COCO file {path} is no JSON: {error}. Correct the file.") from error
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise DataError(f"COCO file {path} has no list {key!r}. It should be an instances file.")
    try:
        images = {image["id"]: {"file_name": image["file_name"], **image} for image in content["images"]}
        categories = {category["id"]: category["name"] for category in content["categories"]}
        grouped: dict[Any, list[dict]] = defaultdict(list)
        for annotation in content["annotations"]:
            for key, known in (("image_id", images), ("category_id", categories)):
                if annotation[key] not in known:
                    raise DataError(
                        f"COCO file {path}: annotation {annotation.get('id')} has the {key} {annotation[key]!r}, "
                        "which is not listed. Add it, or leave the annotation out."
                    )
            grouped[annotation["image_id"]].append(annotation)
    except KeyError as error:
        raise DataError(f"COCO file {path}: an entry lacks {error}. Correct the file.") from None
    for key, found in (("images", images), ("categories", categories)):
        if len(found) != len(content[key]):
            raise DataError(f"COCO file {path}: {len(content[key]) - len(found)} of the {key} share an id. Renumber.")
    return Instances(path, images, dict(sorted(categories.items())), dict(grouped))


def corners(annotation: dict, path: str | Path) -> list[float]:
    """Return the box of an annotation as x0, y0, x1, y1, half open.

    Raises:
        DataError: it is not four numbers.

    >>> corners({"bbox": [1, 2, 10, 20]}, "instances.json")
    [1.0, 2.0, 11.0, 22.0]
    """
    try:
        x, y, width, height = (float(number) for number in annotation["bbox"])
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"COCO file {path}: the bbox of annotation {annotation.get('id')} should be four numbers x, y, width, "
            f"height, but got {annotation.get('bbox')!r}. Correct it."
        ) from None
    return [x, y, x + width, y + height]


def class_mask(segmentations: list[Any], labels: list[int], crowd: list[bool], size: tuple[int, int]) -> np.ndarray:
    """Paint outlines into one (height, width) uint8 class mask: smaller objects over larger, crowds ignored.

    Args:
        segmentations: polygons or run lengths of each object; None or an empty list paints nothing.
        labels: class of each object.
        crowd: whether it is a crowd; its pixels become ``IGNORED`` where no single object is.
        size: (width, height) of the image.

    Raises:
        DataError: an outline is broken.
    """
    width, height = size
    layers = []
    for outline, label, is_crowd in zip(segmentations, labels, crowd, strict=True):
        if not outline:
            continue
        try:
            compressed = isinstance(outline, dict) and isinstance(outline["counts"], (str, bytes))
            runs = outline if compressed else coco_mask.frPyObjects(outline, height, width)
            inside = coco_mask.decode(coco_mask.merge(runs) if isinstance(runs, list) else runs).astype(bool)
        except Exception as error:  # pycocotools raises whatever its C code meets
            raise DataError(f"A segmentation is broken: {error!r}, in {str(outline)[:80]}. Correct it.") from error
        if inside.shape != (height, width):
            raise DataError(f"A segmentation is for {inside.shape[::-1]} pixels, but its image has {size}. Correct it.")
        layers.append((not is_crowd, -int(inside.sum()), IGNORED if is_crowd else mask_value(label), inside))
    mask = np.zeros((height, width), dtype=np.uint8)
    for _, _, value, inside in sorted(layers, key=lambda layer: layer[:2]):
        mask[inside] = value
    return mask
