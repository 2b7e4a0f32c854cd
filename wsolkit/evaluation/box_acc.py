"""Accuracy of one box per image.

Conventions: boxes are x0 y0 x1 y1 in pixels, half open (no +1), or with ``inclusive`` such that both ends lie inside
(+1 on widths and heights). A box may be empty: it overlaps nothing. Every image with a true box is one trial, hit where
the best IoU with any of its true boxes passes the level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wsolkit.errors import DataError, ShapeError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import (
    checked_boxes,
    checked_class,
    checked_comparator,
    checked_ious,
    passes,
    percent_name,
)
from wsolkit.evaluation.overlap import box_iou, inclusive_iou
from wsolkit.evaluation.results import Line, Result
from wsolkit.evaluation.scores import BOOTSTRAP, Score, bootstrap_interval, class_means, rate_of

__all__ = ["BoxAcc", "IouRow"]


class IouRow(NamedTuple):
    """What is kept of one image: the best IoU of its box, and its class or None."""

    iou: float
    label: int | None


class BoxAcc(Accumulator[IouRow]):
    """Share of images whose one predicted box overlaps a true one by more than a level.

    Lines ``BoxAcc@30`` and so on with Wilson's interval, and ``BoxAcc``, their mean, with a bootstrap interval.

    Args:
        ious: levels of IoU, one line each.
        comparator: ``>`` (PSOL, C2AM) or ``>=``.
        inclusive: whether box ends lie inside the boxes: +1 on widths and heights.

    Raises:
        ConfigError: the levels or the comparator make no sense.

    >>> metric = BoxAcc()
    >>> metric.update("a", box=[0, 0, 10, 6], gt_boxes=[[0, 0, 10, 10]])
    >>> result = metric.compute()
    >>> result["BoxAcc@50"].percent, round(result["BoxAcc"].percent, 2)
    (100.0, 66.67)
    """

    metric = "BoxAcc"

    def __init__(self, ious: Sequence[float] = (0.3, 0.5, 0.7), comparator: str = ">", inclusive: bool = False) -> None:
        super().__init__()
        self.ious = checked_ious(ious)
        self.comparator = checked_comparator(comparator)
        self.inclusive = inclusive

    def measure(
        self, box: Any, gt_boxes: Any, label: int | None = None, size: tuple[float, float] | None = None
    ) -> IouRow:
        """Return what is kept of one image.

        Args:
            box: (4,) the predicted box, in pixels; an empty box overlaps nothing.
            gt_boxes: (M, 4) true boxes in the same pixels, at least one.
            label: class of the image for the macro average, or None.
            size: (width, height) that all boxes have to lie in; None not to check.

        Raises:
            ShapeError: a box is not (4,).
            DataError: a box has NaN or a negative size or lies outside the image, or there is no true box.
        """
        if np.shape(box) != (4,):
            raise ShapeError(f"box should be (4,), x0 y0 x1 y1, but got shape {np.shape(box)}. Give one box per image.")
        found = checked_boxes([box], "box", size, self.inclusive)
        truth = checked_boxes(gt_boxes, "gt_boxes", size, self.inclusive)
        if not len(truth):
            raise DataError("The image has no true box to compare with. Leave out images without boxes.")
        overlap = (inclusive_iou if self.inclusive else box_iou)(found, truth)
        return IouRow(float(overlap.max()), None if label is None else checked_class(label))

    def compute(self) -> Result:
        """Return the numbers over all images; macro only where every image has a label.

        Raises:
            DataError: there is no image.
        """
        rows = [row for _, row in self.ordered()]
        labels = [row.label for row in rows]
        hits = np.stack([passes(np.array([row.iou for row in rows]), level, self.comparator) for level in self.ious])
        scores = [rate_of(each, labels) for each in hits]
        values = 100.0 * hits.mean(axis=0)
        low, high = bootstrap_interval(lambda counts: counts @ values / counts.sum(1), len(rows))
        macros = [score.macro for score in scores if score.macro is not None]
        macro = float(np.mean(macros)) if macros else None
        mean = Score(float(values.mean()), len(rows), low, high, macro, BOOTSTRAP)
        lines = [Line(f"BoxAcc@{percent_name(level)}", score) for level, score in zip(self.ious, scores, strict=True)]
        conventions = {
            "comparator": f"IoU {self.comparator} level",
            "threshold selection": "none: boxes are final",
            "class source": "as given; the predicted class is not looked at",
            "box source": "one box per image, against its best true box",
            "box ends": "inside the box, +1 on widths and heights" if self.inclusive else "half open, no +1",
            "resolution": "pixels as given",
            "averaging": "percent: micro over images; macro: mean over classes",
            "n": "images",
        }
        each = class_means(100.0 * hits[0], np.array(labels)) if macros else {}
        return Result(self.metric, (*lines, Line("BoxAcc", mean)), conventions, each_class=each)
