"""Masks as PNG files in VOC's way: the class of each pixel, and the object it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit.errors import ConfigError
from wsolkit.evaluation.class_masks import IGNORED, mask_value
from wsolkit.files import path_below
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.masks import write_index_mask
from wsolkit.formats.text_lists import write_lines
from wsolkit.formats.writer import LabelNames, Writer

__all__ = ["CLASSES", "OBJECTS", "MaskWriter", "object_masks", "write_object_masks"]

CLASSES, OBJECTS = "SegmentationClass", "SegmentationObject"
"""VOC's folders of class masks and of object masks."""

MOST = IGNORED - 1
"""Most classes, and most objects of an image: a pixel is 8 bits, and 0 and 255 mean something else."""


def object_masks(result: ImageResult) -> tuple[np.ndarray, np.ndarray]:
    """Return the class mask and the object mask of an image, (height, width) uint8: smaller objects over larger.

    A class is its index + 1, an object the place of its box among the image's, from 1; 0 is background. Boxes without a
    mask paint nothing, and neither do those after the first 254.

    >>> from wsolkit.formats.found_boxes import FoundBox
    >>> from wsolkit.formats.found_masks import FoundMask
    >>> large, small = np.ones((2, 3), bool), np.array([[True, False, False], [False, False, False]])
    >>> boxes = [FoundBox((0, 0, 3, 2), k, "", 1, 1, None, FoundMask.of(each)) for k, each in enumerate((small, large))]
    >>> [mask.tolist() for mask in object_masks(ImageResult("a", "", (3, 2), boxes))]
    [[[1, 2, 2], [2, 2, 2]], [[1, 2, 2], [2, 2, 2]]]
    """
    width, height = result.size
    classes, objects = np.zeros((2, height, width), np.uint8)
    layers = []
    for number, found in enumerate(result.boxes[:MOST], start=1):
        if found.mask is not None:
            inside = found.mask.inside()
            layers.append((int(inside.sum()), number, mask_value(found.class_index), inside))
    for _, number, value, inside in sorted(layers, key=lambda layer: -layer[0]):
        classes[inside], objects[inside] = value, number
    return classes, objects


def write_object_masks(root: Path, name: str, result: ImageResult) -> None:
    """Write the two masks of an image below a folder, ``SegmentationClass/<name>.png`` and ``SegmentationObject``."""
    for folder, mask in zip((CLASSES, OBJECTS), object_masks(result), strict=True):
        path = path_below(root / folder, name, ".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_index_mask(path, mask)


class MaskWriter(Writer):
    """``masks/``: PNG files with VOC's colours, a class and an object for each pixel, of every image that was read.

    ``classes.txt`` lists the classes: the first one is 1 in the masks.

    Raises:
        ConfigError: there are more classes than fit into 8 bits.
    """

    outputs = ("masks",)
    needs_masks = True

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any], export: Export = PLAIN) -> None:
        super().__init__(folder, classes, about, export)
        if len(classes) > MOST:
            raise ConfigError(
                f"Mask files hold at most {MOST} classes, but there are {len(classes)}. Take --format coco, which can "
                "hold any number."
            )
        self._names = LabelNames()
        for name in (CLASSES, OBJECTS):
            (self.draft("masks") / name).mkdir(parents=True)
        write_lines(self.draft("masks") / "classes.txt", classes)

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image's masks."""
        if isinstance(result, ImageResult):
            write_object_masks(self.draft("masks"), self._names.of(result.image_id), result)

    def close(self) -> None:
        """Nothing is left to do: every image's files are complete."""
