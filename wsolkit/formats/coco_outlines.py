"""Outlines of COCO's objects: run lengths are written, polygons and run lengths painted into one class mask.

What a file says is checked before pycocotools sees it: its C code believes lengths and coordinates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from wsolkit.errors import DataError, shortened
from wsolkit.evaluation.class_masks import IGNORED, WIDE_IGNORED, mask_value

__all__ = ["class_mask", "run_lengths"]

FARTHEST = 10**5
"""Pixels that a corner of a polygon may lie away; pycocotools walks along every edge in fifths of a pixel."""

MOST_CELLS = 2**29
"""Pixels of a mask: an image of 23000 x 23000."""


def class_mask(segmentations: list[Any], labels: list[int], crowd: list[bool], size: tuple[int, int]) -> np.ndarray:
    """Paint outlines into one (height, width) class mask: smaller objects over larger, crowds ignored.

    It is uint8, or uint16 where a class does not fit into 8 bits; see ``wsolkit.evaluation.class_masks``.

    Args:
        segmentations: polygons or run lengths of each object; None, an empty list, and polygons of fewer than three
            corners paint nothing.
        labels: class of each object.
        crowd: whether it is a crowd; its pixels are ignored where no single object is.
        size: (width, height) of the image.

    Raises:
        DataError: an outline is broken.
    """
    width, height = size
    if width * height > MOST_CELLS:
        raise DataError(f"A mask of {width} x {height} pixels is too large. Correct the size, or set masks=False.")
    wide = max(labels, default=0) + 1 >= IGNORED
    kind, ignored = (np.uint16, WIDE_IGNORED) if wide else (np.uint8, IGNORED)
    layers = []
    for outline, label, is_crowd in zip(segmentations, labels, crowd, strict=True):
        inside = painted(outline, size)
        if inside is not None:
            layers.append(
                (not is_crowd, -int(inside.sum()), ignored if is_crowd else mask_value(label, ignored), inside)
            )
    mask = np.zeros((height, width), dtype=kind)
    for _, _, value, inside in sorted(layers, key=lambda layer: layer[:2]):
        mask[inside] = value
    return mask


def painted(outline: Any, size: tuple[int, int]) -> np.ndarray | None:
    """Return (height, width) bool: where an object is, or None where its outline has no area.

    Args:
        outline: polygons ``[[x, y, ...], ...]``, one polygon ``[x, y, ...]``, or run lengths; None for nothing.
        size: (width, height) of the image.

    Raises:
        DataError: it is none of these, is broken, or is for an image of another size.

    >>> painted([[0, 0, 2, 0, 2, 1, 0, 1]], (3, 2)).tolist(), painted([[]], (3, 2))
    ([[True, True, False], [False, False, False]], None)
    """
    if not outline:
        return None
    width, height = size
    if isinstance(outline, dict):
        runs = checked_runs(outline, size)
        inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs)  # the first run is of pixels outside
        return inside.reshape((height, width), order="F")
    if not isinstance(outline, list):
        raise broken("it should be polygons or run lengths", outline)
    nested = [outline] if all(is_number(each) for each in outline) else outline
    polygons = [checked_polygon(each, outline) for each in nested]
    polygons = [polygon for polygon in polygons if len(polygon) >= 6]
    if not polygons:
        return None
    try:
        return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))).astype(bool)
    except Exception as error:  # pycocotools raises whatever its C code meets
        raise broken(repr(error), outline) from error


def broken(why: str, outline: Any) -> DataError:
    """Return the error about an outline."""
    return DataError(f"A segmentation is broken: {why}, in {shortened(str(outline))}. Correct it.")


def is_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def checked_polygon(polygon: Any, outline: Any) -> list[float]:
    """Return a polygon x, y, x, y, ... that can be painted.

    Raises:
        DataError: it is no list of pairs of numbers, or a corner lies too far away.
    """
    if not isinstance(polygon, list) or len(polygon) % 2 or not all(map(is_number, polygon)):
        raise broken("a polygon should be a list x, y, x, y, ... of finite numbers", outline)
    if any(abs(side) > FARTHEST for side in polygon):
        raise broken(f"a corner lies more than {FARTHEST} pixels away", outline)
    return [float(side) for side in polygon]


def checked_runs(outline: dict[str, Any], size: tuple[int, int]) -> list[int]:
    """Return the run lengths of an outline, which together are all pixels of the image.

    Raises:
        DataError: they are broken, end early, or are for an image of another size.
    """
    width, height = size
    stated, counts = outline.get("size"), outline.get("counts")
    if not isinstance(stated, list) or len(stated) != 2 or not all(map(is_number, stated)):
        raise broken("run lengths need a size (height, width)", outline)
    if stated != [height, width]:
        raise DataError(f"A segmentation is for {tuple(stated[::-1])} pixels, but its image has {size}. Correct it.")
    runs = uncompressed(counts) if isinstance(counts, (str, bytes)) else counts
    if not isinstance(runs, list) or not all(is_number(run) and run >= 0 and run == int(run) for run in runs):
        raise broken("run lengths should be whole numbers of 0 or more", outline)
    if sum(runs) != width * height:
        raise broken(f"its runs have {sum(runs)} pixels together, but the image has {width * height}", outline)
    return [int(run) for run in runs]


def uncompressed(counts: str | bytes) -> list[int] | None:
    """Return the run lengths of COCO's text form, or None where it is none.

    Each is written in digits of five bits from 48 on, the lowest first, with bit 5 for "more follow" and bit 4 of the
    last one for the sign; from the third run on what is written is the difference to the last but one.

    >>> uncompressed("52203O"), uncompressed("Q3"), uncompressed("o")
    ([5, 2, 2, 2, 5, 1], [97], None)
    """
    data = counts.encode("latin-1", "replace") if isinstance(counts, str) else counts
    digits = np.frombuffer(data, np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero((digits & 32) == 0)
    if not len(digits) or digits.min() < 0 or digits.max() > 63 or not len(ends) or ends[-1] != len(digits) - 1:
        return None
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 12:  # 60 bits
        return None
    shifts = 5 * (np.arange(len(digits)) - np.repeat(starts, lengths))
    runs = np.add.reduceat((digits & 31) << shifts, starts) - ((digits[ends] >> 4 & 1) << 5 * lengths)
    runs[1::2], runs[2::2] = np.cumsum(runs[1::2]), np.cumsum(runs[2::2])
    return runs.tolist()


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
