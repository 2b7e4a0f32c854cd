"""What the metrics make sure of before they count: maps, masks, boxes, labels and levels are what they should be."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, DataError, MapError, ShapeError, one_of
from wsolkit.evaluation.class_masks import ignored_in

__all__ = [
    "COMPARATORS",
    "Truth",
    "checked_boxes",
    "checked_class",
    "checked_classes",
    "checked_comparator",
    "checked_ious",
    "checked_map",
    "checked_mask",
    "checked_truth",
    "passes",
    "percent_name",
]

COMPARATORS = {">": np.greater, ">=": np.greater_equal}

SLACK = 0.01
"""Pixels a box may stick out of its image: what rounding leaves when float32 boxes are scaled."""


class Truth(NamedTuple):
    """The true boxes of one image: boxes (M, 4) float64, labels (M,) int64, difficult (M,) bool."""

    boxes: np.ndarray
    labels: np.ndarray
    difficult: np.ndarray


def checked_map(score_map: Any, what: str = "The score map") -> np.ndarray:
    """Return a score map (H, W) as an array.

    Args:
        score_map: (H, W) numbers in [0, 1], of any float or integer type.
        what: what to call it in messages, as the start of a sentence.

    Raises:
        ShapeError: it is not (H, W), or has no pixel.
        MapError: it holds NaN, something outside [0, 1], or no numbers.

    >>> checked_map([[0, 1]]).shape
    (1, 2)
    """
    try:
        found = np.asarray(score_map)
    except (TypeError, ValueError) as error:
        raise MapError(f"{what} should be an (H, W) array, but is none ({error}).") from error
    if found.dtype.kind not in "fiub":
        raise MapError(f"{what} should hold numbers in [0, 1], but holds {found.dtype}. Convert it to float32.")
    if found.ndim != 2 or not found.size:
        raise ShapeError(f"{what} should be (H, W) with at least one pixel, but has shape {found.shape}.")
    low, high = found.min(), found.max()  # NaN wins in both
    if np.isnan(low):
        raise MapError(f"{what} holds NaN: the model has diverged. Take an earlier checkpoint.")
    if low < 0 or high > 1:
        raise MapError(
            f"{what} should hold numbers in [0, 1], but goes from {float(low):.4g} to {float(high):.4g}. "
            "Normalize it first: wsolkit.maps.normalize_maps, or --normalize minmax."
        )
    return found


def checked_mask(
    mask: Any, shape: tuple[int, ...] | None = None, what: str = "The score map", name: str = "mask"
) -> np.ndarray:
    """Return a mask (H, W) as an array of whole numbers from 0 to 255.

    Args:
        mask: (H, W) numbers of any integer type, or bool.
        shape: (H, W) of what it is compared with; None for any.
        what: what that is, for messages, as the start of a sentence.
        name: what to call the mask itself.

    Raises:
        ShapeError: the mask has another shape, or is not (H, W).
        DataError: it holds something else than whole numbers from 0 to 255.

    >>> checked_mask([[0, 255]], (1, 2)).tolist()
    [[0, 255]]
    """
    try:
        found = np.asarray(mask)
    except (TypeError, ValueError) as error:
        raise DataError(f"A {name} should be an (H, W) array, but is none ({error}).") from error
    if found.ndim != 2 or not found.size:
        raise ShapeError(f"A {name} should be (H, W) with at least one pixel, but has shape {found.shape}.")
    if shape is not None and found.shape != shape:
        raise ShapeError(
            f"{what} has shape {shape}, but the {name} has {found.shape}. Bring the mask to the size of the map with "
            "wsolkit.formats.masks.fit_mask(mask, (width, height)), or resize the map (--resize)."
        )
    if found.dtype.kind not in "bui":
        raise DataError(f"A {name} should hold whole numbers, but holds {found.dtype}. Convert it to uint8.")
    ignored = ignored_in(found)
    if found.min() < 0 or found.max() > ignored:
        raise DataError(
            f"A {name} should hold numbers from 0 to {ignored} (ignored), but goes from {found.min()} to {found.max()}."
        )
    return found


def checked_boxes(
    boxes: Any, what: str = "boxes", size: tuple[float, float] | None = None, inclusive: bool = False
) -> np.ndarray:
    """Return boxes (N, 4) as float64.

    Args:
        boxes: x0 y0 x1 y1 in pixels; empty boxes (x0 = x1) are allowed.
        what: what they are, for messages.
        size: (width, height) they have to lie in; None if unknown.
        inclusive: whether the ends lie inside the boxes, so that a box ends at width - 1 at most.

    Raises:
        ShapeError: they are not (N, 4).
        DataError: a box has NaN, infinity or a negative size, or lies outside the image.

    >>> checked_boxes([[0, 0, 4, 3]], size=(4, 3)).tolist()
    [[0.0, 0.0, 4.0, 3.0]]
    """
    try:
        found = np.asarray(boxes, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{what} should be (N, 4) numbers, but got {str(boxes)[:60]} ({error}).") from error
    if found.shape == (0,):
        found = found.reshape(0, 4)
    if found.ndim != 2 or found.shape[1] != 4:
        raise ShapeError(f"{what} should be (N, 4), x0 y0 x1 y1, but got shape {found.shape}.")
    for wrong, reason in (
        (~np.isfinite(found).all(1), "holds NaN or infinity"),
        ((found[:, 2:] < found[:, :2]).any(1), "ends before it begins: boxes are x0 y0 x1 y1, not x y width height"),
    ):
        if wrong.any():
            place = int(wrong.argmax())
            raise DataError(f"Number {place} of {what} {reason}: {found[place].tolist()}.")
    if size is not None:
        width, height = size
        if not (np.isfinite([width, height]).all() and width > 0 and height > 0):
            raise DataError(f"size should be (width, height) of the image in pixels, but got {size}.")
        ends = np.array([width, height] * 2) - (1 if inclusive else 0)
        wrong = ((found < -SLACK) | (found > ends + SLACK)).any(1)
        if wrong.any():
            place = int(wrong.argmax())
            raise DataError(
                f"Number {place} of {what} lies outside the image of {width:g} x {height:g}: {found[place].tolist()}. "
                "Give boxes and size in the same pixels, and clip boxes to the image."
            )
    return found


def checked_truth(
    gt_boxes: Any, gt_labels: Any, difficult: Any = None, size: tuple[float, float] | None = None
) -> Truth:
    """Return the true boxes of an image.

    Args:
        gt_boxes: (M, 4), see ``checked_boxes``.
        gt_labels: (M,) class index of each.
        difficult: (M,) bool; None for none.
        size: (width, height) of the image; None if unknown.

    Raises:
        ShapeError: the three differ in length.
        DataError: a box is wrong, or a label no class index.
    """
    boxes = checked_boxes(gt_boxes, "gt_boxes", size)
    labels = checked_classes(gt_labels, len(boxes), "gt_labels")
    hard = np.zeros(len(boxes), bool) if difficult is None else np.asarray(difficult)
    if hard.shape != (len(boxes),):
        raise ShapeError(f"difficult should be ({len(boxes)},) as there are {len(boxes)} boxes, but got {hard.shape}.")
    if len(hard) and not np.isin(hard, (0, 1)).all():
        raise DataError(f"difficult should be true or false for each box, but got {hard.tolist()[:8]}.")
    return Truth(boxes, labels, hard.astype(bool))


def checked_classes(labels: Any, n: int, what: str) -> np.ndarray:
    """Return the class indices (n,) of n boxes as int64.

    Raises:
        ShapeError: they are not (n,).
        DataError: one is no class index.
    """
    found = np.asarray(labels)
    if found.shape != (n,):
        raise ShapeError(f"{what} should be ({n},) as there are {n} boxes, but got {found.shape}.")
    return np.array([checked_class(label) for label in found], dtype=np.int64)


def checked_class(label: Any, classes: int | None = None) -> int:
    """Return a class index as an int.

    Args:
        label: a whole number from 0.
        classes: how many classes there are; None if unknown.

    Raises:
        DataError: it is no whole number, negative, or no class.
    """
    try:
        index = operator.index(label)
    except (TypeError, ValueError) as error:
        raise DataError(f"A label should be a class index, but got {str(label)[:40]!r} ({error}).") from error
    if index < 0 or (classes is not None and index >= classes):
        known = "from 0" if classes is None else f"from 0 to {classes - 1}"
        raise DataError(f"A label should be a class index {known}, but got {index}.")
    return index


def checked_ious(ious: Sequence[float]) -> tuple[float, ...]:
    """Return IoU levels as a tuple.

    Raises:
        ConfigError: there are none, one is not inside (0, 1), or one is there twice.
    """
    levels = tuple(float(level) for level in np.atleast_1d(np.asarray(ious, dtype=np.float64)))
    if not levels or not all(0 < level < 1 for level in levels) or len(set(levels)) < len(levels):
        raise ConfigError(f"ious should be different fractions inside (0, 1), such as (.3, .5, .7), but got {ious!r}.")
    return levels


def checked_comparator(comparator: str) -> str:
    """Return ``>`` or ``>=``.

    Raises:
        ConfigError: it is neither.
    """
    return one_of("comparator", comparator, COMPARATORS)


def passes(ious: np.ndarray, level: float, comparator: str) -> np.ndarray:
    """Return which overlaps are hits, as a bool array of their shape.

    >>> passes(np.array([0.5]), 0.5, ">").tolist(), passes(np.array([0.5]), 0.5, ">=").tolist()
    ([False], [True])
    """
    return COMPARATORS[comparator](np.asarray(ious), level)


def percent_name(level: float) -> str:
    """Return an IoU level as names of metrics have it.

    >>> percent_name(0.3), percent_name(0.625)
    ('30', '62.5')
    """
    return f"{100 * level:g}"
