"""Outlines of COCO's objects: run lengths are written, polygons and run lengths painted into one class mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from wsolkit.errors import DataError
from wsolkit.evaluation.class_masks import IGNORED, mask_value

__all__ = ["class_mask", "run_lengths"]


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


def run_lengths(inside: np.ndarray) -> dict[str, Any]:
    """Return an outline as compressed run lengths that JSON can hold.

    Args:
        inside: (height, width) bool, where the object is.

    >>> inside = np.array([[False, True, True], [False, False, True]])
    >>> class_mask([run_lengths(inside)], [0], [False], (3, 2)).tolist()
    [[0, 1, 1], [0, 0, 1]]
    """
    encoded = coco_mask.encode(np.asfortranarray(inside, dtype=np.uint8))
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode("ascii")}
