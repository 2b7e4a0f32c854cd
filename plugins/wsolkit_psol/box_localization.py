"""Localization with one box for each image and a separate classifier: GT-known, top-1 and top-5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wsolkit import ConfigError, DataError
from wsolkit.evaluation import Accumulator, BoxAcc, Line, Result, label_rank, rate_of

__all__ = ["BoxLocalization", "LocalizedBox"]


class LocalizedBox(NamedTuple):
    """What is kept of one image: the best IoU of its box, its label, the label's place (0 best), how many classes."""

    iou: float
    label: int
    rank: int
    classes: int


class BoxLocalization(Accumulator[LocalizedBox]):
    """GT-known, top-1 and top-5 localization of one box for each image (PSOL, C2AM).

    The box does not depend on the class: ``top-k`` is an image whose label is among the k best classes and whose one
    box overlaps a true one by more than ``iou``. A k that takes every class there is has no line.

    Args:
        iou: the overlap that a hit exceeds.
        ks: how many of the best classes count.

    Raises:
        ConfigError: a number is out of range.

    >>> metric = BoxLocalization(ks=(1,))
    >>> metric.update("a", [0, 0, 10, 6], [[0, 0, 10, 10]], scores=[0.1, 0.9], label=0)
    >>> {line.name: line.score.percent for line in metric.compute().lines}
    {'GT-known': 100.0, 'top-1 loc': 0.0}
    """

    metric = "BoxLocalization"

    def __init__(self, iou: float = 0.5, ks: Sequence[int] = (1, 5)) -> None:
        super().__init__()
        if not ks or any(not isinstance(k, int) or k < 1 for k in ks):
            raise ConfigError(f"ks should be whole numbers from 1, such as (1, 5), but got {ks!r}.")
        self.iou, self.ks = float(iou), tuple(ks)
        self.overlap = BoxAcc((self.iou,))

    def settings(self) -> dict[str, Any]:
        """Return what two accumulators must have in common to be merged."""
        return {"iou": self.iou, "ks": self.ks}

    def measure(self, box: Any, gt_boxes: Any, scores: Any, label: int) -> LocalizedBox:
        """Return what is kept of one image.

        Args:
            box: (4,) the predicted box, in pixels.
            gt_boxes: (M, 4) true boxes in the same pixels, at least one.
            scores: (K,) scores of the classes, larger for surer.
            label: index of the true class.

        Raises:
            ShapeError: a box is not (4,).
            DataError: a box makes no sense, there is no true box, scores are NaN, or the label is no class.
        """
        found = np.asarray(scores, np.float64)
        if found.ndim != 1 or not np.isfinite(found).all():
            raise DataError(f"scores should be (K,) finite numbers, but got {found.shape} with NaN or infinity.")
        row = self.overlap.measure(box, gt_boxes, label)
        return LocalizedBox(row.iou, int(label), label_rank(found, int(label)), len(found))

    def compute(self) -> Result:
        """Return the numbers over all images.

        Raises:
            DataError: there is no image.
        """
        rows = [row for _, row in self.ordered()]
        labels = [row.label for row in rows]
        hits = np.array([row.iou for row in rows]) > self.iou
        ranks = np.array([row.rank for row in rows])
        classes = min(row.classes for row in rows)
        lines = [Line("GT-known", rate_of(hits, labels))]
        lines += [Line(f"top-{k} loc", rate_of(hits & (ranks < k), labels)) for k in self.ks if k < classes]
        conventions = {
            "comparator": f"IoU > {self.iou:g}",
            "threshold selection": "none: boxes are final",
            "class source": "top-k: the label is among the k best classes of a separate classifier",
            "box source": "one box per image, the same for every class, against its best true box",
            "resolution": "pixels of the original image, all of it visible",
            "averaging": "percent: micro over images; macro: mean over classes",
            "n": "images",
        }
        if any(k >= classes for k in self.ks):
            conventions["left out"] = f"a k that takes all {classes} classes"
        return Result(self.metric, tuple(lines), conventions)
