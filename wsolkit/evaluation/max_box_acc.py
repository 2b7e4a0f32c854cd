"""MaxBoxAcc and MaxBoxAccV2 (Choe et al., CVPR 2020): the share of images whose box hits, at one threshold for all.

Conventions: see ``map_boxes``; an (image, class) pair with a true box is one trial, and the map is that of the class. A
hit is an IoU of at least the wanted one. "Max" is over thresholds, one for the whole split; where that threshold was
chosen on the scored split itself the number is marked as the oracle's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from wsolkit.errors import ConfigError, one_of
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import checked_class, checked_ious, percent_name
from wsolkit.evaluation.failures import Trial, failure_of
from wsolkit.evaluation.map_boxes import BOXES, CONVENTIONS, Convention, Sweep, Which, cuts_of, sweep_overlaps
from wsolkit.evaluation.results import ORACLE, Curve, Line, Result
from wsolkit.evaluation.scores import BOOTSTRAP, Score, bootstrap_interval, class_means, rate_of
from wsolkit.evaluation.thresholds import best_place, check_thresholds, honest_threshold, index_of, selection_words

__all__ = ["MapTrial", "MaxBoxAcc", "MaxBoxAccV2"]

Selected = tuple[int, str]


class MapTrial(NamedTuple):
    """What is kept of one map.

    Attributes:
        label: class of the map, or None.
        sweep: its boxes and their overlaps at every cut.
        truth: (M, 4) true boxes in fractions of the image, half open.
        shape: (H, W) of the map.
        right_class: whether the best logit is the label; None where that is not known.
    """

    label: int | None
    sweep: Sweep
    truth: np.ndarray
    shape: tuple[int, int]
    right_class: bool | None = None


class MaxBoxAcc(Accumulator[list[MapTrial]]):
    """The share of maps whose box overlaps a true box by at least ``ious``, at one threshold for the split.

    Lines ``MaxBoxAcc@50`` and so on, with Wilson's interval; with several ``ious`` also their mean, with a bootstrap
    interval. An image takes 4 KB with the convention ``wsoleval``.

    Args:
        ious: overlaps that make a hit, one line each, each at a threshold of its own.
        boxes: ``largest`` component (V1), or the best of ``all`` (V2).
        convention: ``wsoleval``, bit for bit what wsolevaluation computes, or ``exact``; see ``map_boxes``.
        thresholds: fractions of the map's maximum in [0, 1), or the step from 0 to 1.

    Raises:
        ConfigError: an argument is none of the allowed ones.

    >>> metric = MaxBoxAcc()
    >>> score_map = np.zeros((8, 8))
    >>> score_map[2:6, 2:6] = 1
    >>> metric.update("a", score_map, gt_boxes=[[2, 2, 6, 6]], label=3)
    >>> metric.compute(threshold=0.2)["MaxBoxAcc@50"].percent
    100.0
    """

    metric = "MaxBoxAcc"

    def __init__(
        self,
        ious: Sequence[float] = (0.5,),
        boxes: Which = "largest",
        convention: Convention = "wsoleval",
        thresholds: float | Sequence[float] | np.ndarray = 0.001,
    ) -> None:
        super().__init__()
        one_of("boxes", boxes, BOXES)
        one_of("convention", convention, CONVENTIONS)
        self.ious = checked_ious(ious)
        self.boxes = boxes
        self.convention = convention
        self.thresholds = check_thresholds(thresholds)

    def measure(
        self,
        score_map: np.ndarray,
        gt_boxes: np.ndarray,
        label: int | None = None,
        right_class: bool | None = None,
    ) -> list[MapTrial]:
        """Return what is kept of one image.

        Args:
            score_map: (H, W) floats in [0, 1].
            gt_boxes: (M, 4) in pixels of the map: inclusive ends for ``wsoleval`` (see ``truncated_boxes``), half open
                for ``exact``.
            label: class of the map, for the macro average.
            right_class: whether the best logit is the label, for the analysis of failures.

        Raises:
            MapError: the map holds NaN or scores outside [0, 1].
            ShapeError: the map is not (H, W), or the boxes are not (M, 4).
            DataError: there is no true box, or one is upside down or outside the map.
        """
        sweep = sweep_overlaps(
            score_map, gt_boxes, thresholds=self.thresholds, boxes=self.boxes, convention=self.convention
        )
        shape = np.shape(score_map)
        truth = self._fractions(np.asarray(gt_boxes, np.float64), shape).astype(np.float32)
        label = None if label is None else checked_class(label)
        return [MapTrial(label, sweep, truth, shape, None if right_class is None else bool(right_class))]

    def _fractions(self, boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return boxes (..., 4) of the convention as half-open fractions of the image."""
        ends = boxes + np.array([0, 0, 1, 1]) if self.convention == "wsoleval" else boxes
        return np.clip(ends / np.array([shape[1], shape[0], shape[1], shape[0]]), 0, 1)

    def _trials(self) -> list[tuple[str, MapTrial]]:
        """Return every map with its image's name, by name."""
        return [(image_id, trial) for image_id, trials in self.ordered() for trial in trials]

    def curves(self) -> np.ndarray:
        """Return the hits in percent for each IoU at each threshold, (len(ious), len(thresholds)).

        Raises:
            DataError: there is no image.
        """
        hits = np.zeros((len(self.ious), len(self.thresholds)), np.int64)
        trials = self._trials()
        for peak in {trial.sweep.peak for _, trial in trials}:
            same = [trial.sweep.ious for _, trial in trials if trial.sweep.peak == peak]
            levels = np.stack([(np.stack(same) >= iou).sum(0) for iou in self.ious])
            hits += levels[:, cuts_of(self.thresholds, peak, self.convention)]
        return 100 * hits / len(trials)

    def best_threshold(self, iou: float | None = None) -> float:
        """Return the threshold with most hits at ``iou``, the middle one of several.

        Args:
            iou: one of ``ious``; the only or the middle one by default.

        Raises:
            ConfigError: the accumulator was not asked for that IoU.
            DataError: there is no image.
        """
        place = len(self.ious) // 2
        if iou is not None:
            if iou not in self.ious:
                raise ConfigError(f"{self.metric} measures the IoUs {self.ious}, but got {iou}.")
            place = self.ious.index(iou)
        return float(self.thresholds[best_place(self.curves()[place])])

    def overlaps_at(self, threshold: float) -> np.ndarray:
        """Return the overlap (trials,) of each map's box at a threshold, by image name."""
        place = [index_of(threshold, self.thresholds)]
        return np.array(
            [
                trial.sweep.ious[cuts_of(self.thresholds, trial.sweep.peak, self.convention)[place]][0]
                for _, trial in self._trials()
            ]
        )

    def trials(self, threshold: float, iou: float = 0.5) -> list[Trial]:
        """Return what became of every map at a threshold, for tables of failures and for pictures.

        Args:
            threshold: fraction of the map's maximum; the nearest measured one is taken.
            iou: overlap that makes a hit.
        """
        place = index_of(threshold, self.thresholds)
        found = []
        for image_id, trial in self._trials():
            cut = cuts_of(self.thresholds, trial.sweep.peak, self.convention)[place]
            best, pixels = float(trial.sweep.ious[cut]), trial.sweep.boxes[cut]
            box = self._fractions(pixels, trial.shape) if pixels[2:].any() else np.zeros(4)
            found.append(
                Trial(
                    image_id,
                    -1 if trial.label is None else trial.label,
                    tuple(box.round(5).tolist()),
                    tuple(map(tuple, trial.truth.astype(float).round(5).tolist())),
                    best,
                    failure_of(box, trial.truth, best >= iou),
                    trial.right_class,
                )
            )
        return found

    def compute(self, threshold: float | Self | None = None) -> Result:
        """Return the numbers over all images; macro only where every map has a label.

        Args:
            threshold: a fraction of the map's maximum for every IoU, or an accumulator of the same kind that saw the
                validation split, for its best threshold at each IoU; None for the test-oracle numbers only.

        Raises:
            ConfigError: the threshold is neither, or that accumulator has other ``boxes`` or another ``convention``.
            DataError: there is no image.
        """
        curves = self.curves()
        chosen: list[list[Selected]] = [[(best_place(curve), ORACLE)] for curve in curves]
        if threshold is not None:
            for iou, places in zip(self.ious, chosen, strict=True):
                value, selection = honest_threshold(threshold, self, iou, same=("boxes", "convention"))
                places.insert(0, (index_of(value, self.thresholds), selection))
        names, labels = zip(*((image_id, trial.label) for image_id, trial in self._trials()), strict=True)
        lines, each = [], {}
        for number in range(len(chosen[0])):
            hits = []
            for iou, places in zip(self.ious, chosen, strict=True):
                place, selection = places[number]
                hits.append(self.overlaps_at(float(self.thresholds[place])) >= iou)
                name = f"MaxBoxAcc@{percent_name(iou)}"
                lines.append(Line(name, rate_of(hits[-1], labels), float(self.thresholds[place]), selection))
            if number == 0 and all(label is not None for label in labels):
                each = class_means(100.0 * np.mean(hits, axis=0), np.array(labels))
            if len(self.ious) > 1:
                lines.append(Line(self.metric, mean_score(np.array(hits), labels, names), None, chosen[0][number][1]))
        if len(self.ious) > 1:  # the mean is what tables show: it goes first among its kind
            lines.sort(key=lambda line: line.name != self.metric)
        title = "hits over threshold" if len(self.ious) == 1 else "hits over threshold, IoU {}"
        drawn = {
            title.format(percent_name(iou)): Curve(self.thresholds, curve, "threshold", "hits (%)")
            for iou, curve in zip(self.ious, curves, strict=True)
        }
        return Result(self.metric, tuple(lines), self.conventions(chosen), drawn, each)

    def conventions(self, chosen: Sequence[Sequence[Selected]]) -> dict[str, str]:
        """Return how the numbers were made, in words."""
        shapes = sorted({trial.shape for _, trial in self._trials()})
        pairs = {
            "wsoleval": "wsolevaluation: uint8 by truncation, strict >, IoU + 1, ends one pixel too far",
            "exact": "exact: strict >, half-open boxes, no + 1",
        }
        source = {"largest": "largest contour" if self.convention == "wsoleval" else "largest component"}
        return {
            "comparator": "IoU >=",
            "convention": pairs[self.convention],
            "threshold selection": selection_words(selection for _, selection in chosen[0]),
            "class source": "map of the true class",
            "box source": source.get(self.boxes, "best of all contours, holes included, or of all components"),
            "resolution": f"{shapes[0][1]} x {shapes[0][0]}" if len(shapes) == 1 else f"{len(shapes)} sizes of maps",
            "averaging": "micro over maps; macro: mean over classes",
            "n": f"maps, of {len(self)} images",
        }


class MaxBoxAccV2(MaxBoxAcc):
    """MaxBoxAcc averaged over the IoUs .3, .5 and .7, each at a threshold of its own, with the best of all contours.

    The arguments are those of ``MaxBoxAcc``.
    """

    metric = "MaxBoxAccV2"

    def __init__(
        self,
        ious: Sequence[float] = (0.3, 0.5, 0.7),
        boxes: Which = "all",
        convention: Convention = "wsoleval",
        thresholds: float | Sequence[float] | np.ndarray = 0.001,
    ) -> None:
        super().__init__(ious, boxes, convention, thresholds)


def mean_score(hits: np.ndarray, labels: Sequence[Any], names: Sequence[str]) -> Score:
    """Return the mean over the levels of hits (levels, n), in percent, with a bootstrap interval over the images.

    An image is drawn with all its trials; ``names`` (n,) says which image a trial belongs to.
    """
    values = 100.0 * hits.mean(axis=0)
    images = np.unique(names, return_inverse=True)[1]
    sums, trials = np.bincount(images, values), np.bincount(images)
    low, high = bootstrap_interval(lambda counts: counts @ sums / (counts @ trials), len(trials))
    macro = None
    if all(label is not None for label in labels):
        macro = float(np.mean(list(class_means(values, np.array(labels)).values())))
    return Score(float(values.mean()), len(values), low, high, macro, BOOTSTRAP)
