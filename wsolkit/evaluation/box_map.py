"""Detection average precision of boxes, by VOC's rules or COCO's.

Conventions: boxes are x0 y0 x1 y1 in pixels, half open, or with ``inclusive`` such that both ends lie inside (+1 on
widths and heights, the VOC devkit). VOC: detections of a class take, best score first (equal scores: in the order
given), the true box of best IoU (ties: the first). Below the level they are false positives; on a difficult box they do
not count; else the first to take a box is right and every later one a false positive. COCO: pycocotools, at most 100
detections per image and class; difficult boxes are crowd regions. Detections of classes that have no box to find in the
split do not count.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, DataError, ShapeError, nearest
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import (
    Truth,
    checked_boxes,
    checked_classes,
    checked_comparator,
    checked_ious,
    checked_truth,
    passes,
    percent_name,
)
from wsolkit.evaluation.classification import (
    DRAWS,
    Ranking,
    checked_scores,
    mean_over_classes,
    pooled_classes,
    ranking_of,
)
from wsolkit.evaluation.overlap import box_iou, inclusive_iou
from wsolkit.evaluation.results import Line, Result

__all__ = ["METHODS", "BoxMAP", "DetectionRow", "match_boxes"]

METHODS = {"voc-all-point": "all-point", "voc-11-point": "11-point", "coco": "101-point"}
"""Rules, and the interpolation that goes with each."""
RIGHT, WRONG, LEFT_OUT = 1, 0, -1


def match_boxes(overlaps: np.ndarray, difficult: np.ndarray, level: float, comparator: str = ">=") -> np.ndarray:
    """Return what becomes of detections (N,) of one class in one image: 1 right, 0 wrong, -1 left out.

    Args:
        overlaps: (N, M) IoU of the detections, best score first, with the true boxes of the class.
        difficult: (M,) bool.
        level: IoU that makes a hit.
        comparator: ``>=`` or ``>``.

    >>> match_boxes(np.array([[0.9], [0.8], [0.1]]), np.array([False]), 0.5).tolist()
    [1, 0, 0]
    """
    outcomes = np.zeros(len(overlaps), np.int8)
    if overlaps.shape[1] == 0:
        return outcomes
    best = overlaps.argmax(1)
    hits = passes(overlaps.max(1), level, comparator)
    taken = set()
    for place in np.flatnonzero(hits).tolist():
        box = int(best[place])
        if difficult[box]:
            outcomes[place] = LEFT_OUT
        elif box not in taken:
            taken.add(box)
            outcomes[place] = RIGHT
    return outcomes


class DetectionRow(NamedTuple):
    """What is kept of one image: detections (best score first) with their outcomes, and its true boxes.

    ``outcomes`` (levels, N) is 1 right, 0 wrong, -1 left out; (0, N) for COCO, whose boxes are matched at the end.
    """

    labels: np.ndarray
    scores: np.ndarray
    outcomes: np.ndarray
    boxes: np.ndarray
    truth: Truth

    @property
    def wanted(self) -> np.ndarray:
        """Classes (M,) of the true boxes that are not difficult."""
        return self.truth.labels[~self.truth.difficult]


class BoxMAP(Accumulator[DetectionRow]):
    """Mean average precision of scored boxes.

    Lines ``BoxMAP@50`` and so on, whose ``percent`` and ``macro`` are both the mean over classes with a box to find,
    and ``BoxMAP@50 micro``, one ranking of all classes' boxes; for COCO ``AP`` (mean over IoU .5, .55 ... .95),
    ``AP50`` and ``AP75``. Matching is done per image, so the bootstrap draws images with their matches.

    Args:
        method: ``voc-all-point`` (VOC since 2010), ``voc-11-point`` (VOC 2007) or ``coco``.
        ious: levels of IoU, one line each; None for (.5,), or for COCO's own.
        comparator: ``>=`` (the VOC devkit, COCO) or ``>``.
        inclusive: whether box ends lie inside the boxes (the VOC devkit).
        draws: draws of the bootstrap.

    Raises:
        ConfigError: there is no such method, or an option does not go with it.

    >>> metric = BoxMAP()
    >>> metric.update("a", [[0, 0, 9, 9]], [2], [0.8], [[0, 0, 10, 10], [20, 0, 30, 10]], [2, 2])
    >>> metric.compute()["BoxMAP@50"].percent
    50.0
    """

    metric = "BoxMAP"

    def __init__(
        self,
        method: str = "voc-all-point",
        ious: Sequence[float] | None = None,
        comparator: str = ">=",
        inclusive: bool = False,
        draws: int = DRAWS,
    ) -> None:
        super().__init__()
        if method not in METHODS:
            raise ConfigError(f"There is no method {method!r} of box mAP. {nearest(method, METHODS)}")
        if method == "coco" and (ious is not None or comparator != ">=" or inclusive):
            raise ConfigError(
                "Method 'coco' has its own rules: leave out ious, comparator and inclusive, or take a VOC one."
            )
        self.method = method
        self.ious = checked_ious((0.5,) if ious is None else ious)
        self.comparator = checked_comparator(comparator)
        self.inclusive = inclusive
        self.draws = draws

    def measure(
        self, boxes: Any, labels: Any, scores: Any, gt_boxes: Any, gt_labels: Any, difficult: Any = None
    ) -> DetectionRow:
        """Return what is kept of one image.

        Args:
            boxes: (N, 4) detections in pixels, in any order.
            labels: (N,) class index of each.
            scores: (N,) larger for surer.
            gt_boxes: (M, 4) true boxes in the same pixels.
            gt_labels: (M,) class index of each.
            difficult: (M,) bool; None for none.

        Raises:
            ShapeError: boxes, labels, scores and difficult do not fit each other.
            DataError: a box has NaN or a negative size, a score is NaN, or a label no class index.
        """
        found = checked_boxes(boxes)
        classes = checked_classes(labels, len(found), "labels")
        values = checked_scores(scores)
        if values.shape != classes.shape:
            raise ShapeError(f"scores should be {classes.shape}, one for each box, but got {values.shape}.")
        truth = checked_truth(gt_boxes, gt_labels, difficult)
        order = np.argsort(-values, kind="stable")
        found, classes, values = found[order], classes[order], values[order]
        if self.method == "coco":
            return DetectionRow(classes, values, np.zeros((0, len(found)), np.int8), found, truth)
        overlaps = (inclusive_iou if self.inclusive else box_iou)(found, truth.boxes)
        outcomes = np.zeros((len(self.ious), len(found)), np.int8)
        for k in np.unique(classes):
            mine, true = classes == k, truth.labels == k
            for outcome, level in zip(outcomes, self.ious, strict=True):
                outcome[mine] = match_boxes(overlaps[np.ix_(mine, true)], truth.difficult[true], level, self.comparator)
        return DetectionRow(classes, values, outcomes, found, truth)

    def compute(self) -> Result:
        """Return the numbers over all images.

        Raises:
            DataError: there is no image, or no box to find in any.
        """
        rows = [row for _, row in self.ordered()]
        if not any(len(row.wanted) for row in rows):
            raise DataError("No image has a true box that is not difficult, so there is no box mAP. Check the boxes.")
        coco = self.method == "coco"
        lines, classes = coco_lines(rows, self.draws) if coco else self._voc_lines(rows)
        conventions = {
            "method": self.method,
            "comparator": "IoU >= .5, .55 ... .95" if coco else f"IoU {self.comparator} level",
            "threshold selection": "none: all boxes are taken",
            "class source": "class of each box as given, ranked by its score",
            "box source": "all boxes, at most 100 per image and class" if coco else "all boxes",
            "box ends": "inside the box, +1 on widths and heights" if self.inclusive else "half open, no +1",
            "difficult": "crowd regions (intersection over the detection's own area)" if coco else "left out",
            "resolution": "pixels as given",
            "average precision": f"{METHODS[self.method]}, {'pycocotools' if coco else 'equal scores share one point'}",
            "averaging": "percent: mean over classes with a box to find (macro); micro, if there: one ranking of all",
            "n": "images",
        }
        first, *more = classes.items()
        return Result(self.metric, lines, conventions, each_class=first[1], more_each_class=dict(more))

    def _voc_lines(self, rows: Sequence[DetectionRow]) -> tuple[tuple[Line, ...], dict[str, dict[int, float]]]:
        names = [f"BoxMAP@{percent_name(level)}" for level in self.ious]
        answers = [rankings_of(rows, number) for number in range(len(names))]
        options = (len(rows), METHODS[self.method], self.draws)
        means = [mean_over_classes(each, *options) for each in answers]
        micros = [pooled_classes(each, *options) for each in answers]
        lines = [Line(name, mean) for name, (mean, _) in zip(names, means, strict=True)]
        lines += [Line(f"{name} micro", micro) for name, micro in zip(names, micros, strict=True)]
        return tuple(lines), {name: each for name, (_, each) in zip(names, means, strict=True)}


def rankings_of(rows: Sequence[DetectionRow], level: int) -> dict[int, Ranking]:
    """Return the answers of each class that has a box to find, at one level of IoU."""
    labels = np.concatenate([row.labels for row in rows])
    scores = np.concatenate([row.scores for row in rows])
    outcomes = np.concatenate([row.outcomes[level] for row in rows])
    images = np.repeat(np.arange(len(rows)), [len(row.labels) for row in rows])
    wanted = np.concatenate([row.wanted for row in rows])
    places = np.repeat(np.arange(len(rows)), [len(row.wanted) for row in rows])
    rankings = {}
    for k in np.unique(wanted).tolist():
        mine = (labels == k) & (outcomes != LEFT_OUT)
        positives = np.bincount(places[wanted == k], minlength=len(rows))
        rankings[k] = ranking_of(scores[mine], outcomes[mine] == RIGHT, images[mine], positives)
    return rankings


def coco_lines(rows: Sequence[DetectionRow], draws: int) -> tuple[tuple[Line, ...], dict[str, dict[int, float]]]:
    """Return COCO's numbers by pycocotools, with intervals from its matches, and each of them class by class."""
    classes = sorted({k for row in rows for k in row.wanted.tolist()})
    evaluation = coco_evaluation(rows, classes)
    precision = 100 * evaluation.eval["precision"][..., 0, 0]  # (levels, recalls, classes)
    answers = coco_rankings(evaluation, len(rows), len(classes))
    lines, each = [], {}
    for name, levels in (("AP", list(range(len(precision)))), ("AP50", [0]), ("AP75", [5])):
        chosen = [answers[level, k] for level in levels for k in range(len(classes))]
        score, _ = mean_over_classes(dict(enumerate(chosen)), len(rows), METHODS["coco"], draws)
        number = float(precision[levels].mean())
        lines.append(Line(name, replace(score, percent=number, macro=number)))
        each[name] = dict(zip(classes, precision[levels].mean((0, 1)).tolist(), strict=True))
    return tuple(lines), each


def coco_evaluation(rows: Sequence[DetectionRow], classes: Sequence[int]) -> Any:
    """Return an accumulated ``COCOeval`` of all images, numbered from 1 as they come, over objects of any size."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth, found = COCO(), COCO()
        for api in (truth, found):
            objects = []
            for image, row in enumerate(rows, start=1):
                given = row.truth if api is truth else (row.boxes, row.labels, row.scores)
                objects += [(image, *each) for each in zip(*given, strict=True)]
            api.dataset = {
                "images": [{"id": image + 1} for image in range(len(rows))],
                "categories": [{"id": k} for k in classes],
                "annotations": [
                    {
                        "id": number,
                        "image_id": image,
                        "category_id": int(label),
                        "bbox": [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()],
                        "area": float((box[2:] - box[:2]).prod()),
                        "iscrowd": int(api is truth and value),  # difficult
                        "score": float(value),
                    }
                    for number, (image, box, label, value) in enumerate(objects, start=1)
                ],
            }
            api.createIndex()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, float("inf")]], ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def coco_rankings(evaluation: Any, images: int, classes: int) -> dict[tuple[int, int], Ranking]:
    """Return the answers by (number of the level, number of the class), equal scores in COCO's order."""
    rankings = {}
    for k in range(classes):
        all_cells = evaluation.evalImgs[k * images : (k + 1) * images]  # None without boxes of the class
        positives = np.array([np.sum(cell["gtIgnore"] == 0) if cell else 0 for cell in all_cells], np.int64)
        places = np.repeat(np.arange(images), [len(cell["dtScores"]) if cell else 0 for cell in all_cells])
        cells = [cell for cell in all_cells if cell]
        scores = np.concatenate([cell["dtScores"] for cell in cells])
        ranks = np.empty(len(scores))
        ranks[np.argsort(-scores, kind="stable")] = -np.arange(len(scores))
        matched = np.concatenate([cell["dtMatches"] > 0 for cell in cells], axis=1)
        ignored = np.concatenate([cell["dtIgnore"] > 0 for cell in cells], axis=1)
        for level, (hit, out) in enumerate(zip(matched, ignored, strict=True)):
            rankings[level, k] = ranking_of(ranks[~out], hit[~out], places[~out], positives)
    return rankings
