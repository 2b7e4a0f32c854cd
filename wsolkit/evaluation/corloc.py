"""CorLoc: in how many of the images that show a class its best box is right.

Conventions: boxes are x0 y0 x1 y1 in pixels, half open (no +1). An image is positive for a class if it has a true box
of the class that is not difficult; each (positive image, class) is one trial. It is hit where the best-scored box of
the class overlaps any true box of the class, difficult ones too, by the wanted IoU. CorLoc is the mean over classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wsolkit.errors import DataError, ShapeError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import checked_boxes, checked_comparator, checked_ious, checked_truth, passes
from wsolkit.evaluation.overlap import box_iou
from wsolkit.evaluation.results import Line, Result
from wsolkit.evaluation.scores import BOOTSTRAP, Score, bootstrap_interval, class_means, rate_of

__all__ = ["CorLoc"]


class CorLoc(Accumulator[dict[int, float]]):
    """Correct localization on positive images (VOC trainval).

    Lines: ``CorLoc``, whose ``percent`` and ``macro`` are both the mean over classes that papers print, with a
    bootstrap interval, and ``CorLoc micro``, the share of all trials that are hits, with Wilson's.

    Args:
        iou: overlap that makes a hit.
        comparator: ``>=`` (VOC) or ``>``.

    Raises:
        ConfigError: the overlap or the comparator make no sense.

    >>> metric = CorLoc()
    >>> metric.update("a", boxes={3: [0, 0, 10, 6], 5: None}, gt_boxes=[[0, 0, 10, 10]] * 2, gt_labels=[3, 5])
    >>> metric.update("b", boxes={3: [0, 0, 9, 9]}, gt_boxes=[[0, 0, 10, 10]], gt_labels=[3])
    >>> result = metric.compute()
    >>> result["CorLoc"].percent, round(result["CorLoc micro"].percent, 2), result.each_class
    (50.0, 66.67, {3: 100.0, 5: 0.0})
    """

    metric = "CorLoc"

    def __init__(self, iou: float = 0.5, comparator: str = ">=") -> None:
        super().__init__()
        self.iou = checked_ious([iou])[0]
        self.comparator = checked_comparator(comparator)

    def measure(
        self, boxes: Mapping[int, Any], gt_boxes: Any, gt_labels: Any, difficult: Any = None
    ) -> dict[int, float]:
        """Return the best IoU of each class that the image is positive for.

        Args:
            boxes: the best-scored box (4,) by class index, None where there is none; other classes may be there too.
            gt_boxes: (M, 4) true boxes in the same pixels.
            gt_labels: (M,) class index of each.
            difficult: (M,) bool; None for none.

        Raises:
            ShapeError: boxes, labels and difficult do not fit each other.
            DataError: a box has NaN or a negative size, a label is no class, or a positive class has no entry.
        """
        truth = checked_truth(gt_boxes, gt_labels, difficult)
        row = {}
        for k in np.unique(truth.labels[~truth.difficult]).tolist():
            if k not in boxes:
                raise DataError(
                    f"The image shows class {k}, but boxes has no entry for it (it has {sorted(boxes)}). Give its best "
                    "box, or None if there is none, which is a miss."
                )
            box = boxes[k]
            if box is None:
                row[k] = 0.0
                continue
            if np.shape(box) != (4,):
                raise ShapeError(f"The box of class {k} should be (4,), x0 y0 x1 y1, but got shape {np.shape(box)}.")
            overlaps = box_iou(checked_boxes([box], f"boxes of class {k}"), truth.boxes[truth.labels == k])
            row[k] = float(overlaps.max())
        return row

    def compute(self) -> Result:
        """Return the numbers over all images; images that are positive for no class count for nothing.

        Raises:
            DataError: there is no image, or none is positive for a class.
        """
        rows = [row for _, row in self.ordered() if row]
        if not rows:
            raise DataError("No image has a true box that is not difficult, so there is no CorLoc. Check the boxes.")
        pairs = [(image, k, iou) for image, row in enumerate(rows) for k, iou in row.items()]
        images, classes, ious = (np.array(column) for column in zip(*pairs, strict=True))
        hits = passes(ious, self.iou, self.comparator)
        each = class_means(100.0 * hits, classes)
        trials = np.zeros((len(rows), len(each)))
        columns = np.searchsorted(list(each), classes)
        trials[images, columns] = 1
        found = trials.copy()
        found[images, columns] = 100.0 * hits

        def means(counts: np.ndarray) -> np.ndarray:
            drawn = counts @ trials
            rates = np.divide(counts @ found, drawn, out=np.zeros_like(drawn), where=drawn > 0)
            return rates.sum(1) / (drawn > 0).sum(1)

        mean = float(np.mean(list(each.values())))
        score = Score(mean, len(hits), *bootstrap_interval(means, len(rows)), macro=mean, interval=BOOTSTRAP)
        conventions = {
            "comparator": f"IoU {self.comparator} {self.iou:g}",
            "threshold selection": "none: boxes are final",
            "class source": "true classes of the image with a box that is not difficult",
            "box source": "best-scored box of the class, against its best true box (difficult ones too)",
            "box ends": "half open, no +1",
            "resolution": "pixels as given",
            "averaging": "CorLoc: mean over classes (macro); CorLoc micro: share of all trials",
            "n": f"(image, class) pairs, of {len(rows)} images",
        }
        lines = (Line("CorLoc", score), Line("CorLoc micro", rate_of(hits, classes)))
        return Result(self.metric, lines, conventions, each_class=each)
