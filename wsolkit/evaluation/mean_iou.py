"""Mean IoU over classes and background, of score maps or label maps against class masks.

Conventions: masks hold 0 for background, k + 1 for class k, and 255 for pixels that are left out. At background score t
a pixel belongs to the class of its highest map where that score is greater than t (strictly; of equal scores the lower
class index), and to the background otherwise: what the argmax over (t, maps) gives, with t in the number type of the
maps, so that a float32 score of 0.2 is not greater than t = 0.2. Pixels are summed over the split before the IoU of a
class is taken. A class that neither the masks nor the predictions show has no IoU and is left out of the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from wsolkit.errors import ConfigError, DataError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import checked_class, checked_map, checked_mask
from wsolkit.evaluation.class_counts import ClassCounts, class_ious, kept, label_counts, mean_ious, sweep_counts, winner
from wsolkit.evaluation.class_masks import WIDE_IGNORED, ignored_in
from wsolkit.evaluation.pixel_counts import ratio
from wsolkit.evaluation.results import ORACLE, Curve, Line, Result
from wsolkit.evaluation.scores import BOOTSTRAP, Score, bootstrap_interval
from wsolkit.evaluation.thresholds import best_place, honest_threshold, selection_words

__all__ = ["BACKGROUND", "THRESHOLDS", "MeanIoU"]

BACKGROUND = -1
"""The background's place among class indices."""

THRESHOLDS = tuple(round(0.01 * number, 2) for number in range(5, 76))
"""Background scores from .05 to .75."""


class MeanIoU(Accumulator[ClassCounts]):
    """Mean over classes and background of the IoU of their pixels, summed over a split.

    Lines ``mIoU``, whose ``percent`` and ``macro`` are the same (it is a mean over classes), and ``pixel accuracy``,
    the share of pixels that are right (micro) with the mean over true classes of that share as its ``macro``. Images
    are measured either all as score maps (``update``), or all as label maps (``update_labels``). Intervals hold the
    threshold fixed.

    Args:
        num_classes: number of classes without the background.
        thresholds: background scores to try, rising, in [0, 1].
        level: what is scored: ``seed``, ``pseudo label``, ``segmentation``; a text for the conventions.
        split: the split that is scored, likewise.

    Raises:
        ConfigError: the classes do not fit into a mask, or the thresholds do not rise from 0 to 1.

    >>> metric = MeanIoU(num_classes=2, thresholds=[0.3, 0.7])
    >>> metric.update("a", score_maps={0: np.array([[0.9, 0.5, 0.1]])}, mask=np.array([[1, 0, 0]], np.uint8))
    >>> result = metric.compute(threshold=0.3)
    >>> [(line.name, round(line.score.percent, 2), line.threshold, line.selection) for line in result.lines[:2]]
    [('mIoU', 50.0, 0.3, 'fixed'), ('mIoU', 100.0, 0.7, 'test-oracle')]
    """

    metric = "MeanIoU"

    def __init__(
        self, num_classes: int, thresholds: Sequence[float] = THRESHOLDS, level: str = "", split: str = ""
    ) -> None:
        super().__init__()
        if not 1 <= num_classes < WIDE_IGNORED:
            raise ConfigError(f"num_classes should be from 1 to {WIDE_IGNORED - 1}, but got {num_classes}.")
        self.num_classes = int(num_classes)
        self.thresholds = np.array(thresholds, dtype=np.float64)
        values = self.thresholds
        if values.ndim != 1 or not len(values) or not (np.diff(values, prepend=-1, append=2) > 0).all():
            raise ConfigError(f"thresholds should rise, and lie in [0, 1], but got {str(thresholds)[:80]}.")
        if values[0] < 0 or values[-1] > 1:
            raise ConfigError(f"thresholds should lie in [0, 1], but go from {values[0]:g} to {values[-1]:g}.")
        self.level, self.split = level, split

    def measure(self, score_maps: Mapping[int, Any], mask: Any) -> ClassCounts:
        """Return what is kept of one image.

        Args:
            score_maps: (H, W) map in [0, 1] of each class that is taken to be in the image, by class index; without
                any, the image is all background.
            mask: (H, W) uint8, 0 background, k + 1 class k, 255 left out (65535 in uint16).

        Raises:
            ShapeError: a map and the mask have different shapes.
            MapError: a map holds NaN or something outside [0, 1].
            DataError: a class is not among the classes, or the mask holds a value of none.
        """
        maps = {
            checked_class(k, self.num_classes): checked_map(score_map, f"The score map of class {k}")
            for k, score_map in score_maps.items()
        }
        truth = self.checked_truth(mask)
        for k, found in maps.items():
            checked_mask(truth, found.shape, f"The score map of class {k}")
        values, scores = winner(maps, truth.shape)
        counted = truth != ignored_in(truth)
        return kept(sweep_counts(values[counted], scores[counted], truth[counted], self.thresholds))

    def measure_labels(self, predicted: Any, mask: Any) -> ClassCounts:
        """Return what is kept of one image whose pixels have their label: a pseudo label, or a segmentation.

        Args:
            predicted: (H, W) uint8, 0 background, k + 1 class k; anything where the mask is 255.
            mask: (H, W) uint8, 0 background, k + 1 class k, 255 left out (65535 in uint16).

        Raises:
            ShapeError: the two have different shapes.
            DataError: one holds a value of no class; 255 in ``predicted`` too, where the pixel counts.
        """
        truth = self.checked_truth(mask)
        values = checked_mask(predicted, truth.shape, "The mask", "label map")
        counted = truth != ignored_in(truth)
        wrong = values[counted] > self.num_classes
        if wrong.any():
            raise DataError(
                f"The label map should hold 0 to {self.num_classes}, but holds {int(values[counted][wrong][0])} at "
                f"{int(wrong.sum())} pixels that count. Give undecided pixels to the background (0) or a class."
            )
        return kept(label_counts(values[counted], truth[counted]))

    def update_labels(self, image_id: str, predicted: Any, mask: Any) -> None:
        """Measure a label map and keep the evidence; see ``measure_labels`` and ``update``."""
        self.add(image_id, self.measure_labels(predicted, mask))

    def checked_truth(self, mask: Any) -> np.ndarray:
        """Return a class mask (H, W) whose values are all of classes.

        Raises:
            ShapeError: it is not (H, W).
            DataError: it holds a value of no class.
        """
        truth = checked_mask(mask)
        wrong = (truth > self.num_classes) & (truth != ignored_in(truth))
        if wrong.any():
            raise DataError(
                f"A mask of {self.num_classes} classes should hold 0 to {self.num_classes}, or {ignored_in(truth)} for "
                f"ignored pixels, but holds {int(truth[wrong][0])} at {int(wrong.sum())} pixels. Class k is k + 1 in a "
                "mask."
            )
        return truth

    def pooled(self) -> tuple[ClassCounts, list[ClassCounts]]:
        """Return the counts of the split (all mask values, int64), and those of the images with a pixel that counts.

        Raises:
            DataError: there is no image, no pixel counts, or there are score maps and label maps.
        """
        rows = [row for _, row in self.ordered()]
        if len({row.swept for row in rows}) > 1:
            raise DataError(
                "Some images were measured as score maps and some as label maps. Use one MeanIoU for each kind."
            )
        seen = [row for row in rows if len(row.values)]
        if not seen:
            raise DataError(f"The masks of {len(rows)} images ignore every pixel, so there is nothing to compare.")
        columns = seen[0].shared.shape[1]
        values = np.arange(self.num_classes + 1)
        true = np.zeros(len(values), np.int64)
        predicted, shared = (np.zeros((len(values), columns), np.int64) for _ in range(2))
        for row in seen:
            true[row.values] += row.true
            predicted[row.values] += row.predicted
            shared[row.values] += row.shared
        return ClassCounts(values, true, predicted, shared, seen[0].swept), seen

    def best_threshold(self) -> float:
        """Return the background score of the best mIoU over all images, the middle one of several.

        Raises:
            DataError: there is no image, or none with a pixel that counts.
            ConfigError: the images are label maps.
        """
        pooled, _ = self.pooled()
        if not pooled.swept:
            raise ConfigError("Label maps have no background score to choose. Call compute() without a threshold.")
        return float(self.thresholds[best_place(mean_ious(pooled))])

    def compute(self, threshold: float | Self | None = None) -> Result:
        """Return the numbers over all images.

        Args:
            threshold: a background score among ``thresholds``, or a MeanIoU that saw the validation split, for its best
                one; None for the test-oracle numbers only, and for label maps.

        Raises:
            ConfigError: the threshold is none of these, or there are label maps and a threshold.
            DataError: there is no image, none with a pixel that counts, or there are score maps and label maps.
        """
        pooled, seen = self.pooled()
        means = mean_ious(pooled)
        cuts: list[tuple[int, str | None]] = [(best_place(means), ORACLE)] if pooled.swept else [(0, None)]
        if threshold is not None:
            if not pooled.swept:
                raise ConfigError("Label maps have no background score. Call compute() without a threshold.")
            if isinstance(threshold, MeanIoU) and threshold.num_classes != self.num_classes:
                raise ConfigError(
                    f"The validation split has {threshold.num_classes} classes, but the scored one {self.num_classes}. "
                    "Choose the threshold on the same classes."
                )
            cuts.insert(0, self.place_of(*honest_threshold(threshold, self)))
        lines: list[Line] = []
        for name, score_at in (("mIoU", miou_score), ("pixel accuracy", accuracy_score)):
            for place, selection in cuts:
                cut = float(self.thresholds[place]) if pooled.swept else None
                lines.append(Line(name, score_at(pooled, seen, place), cut, selection))
        ious = class_ious(pooled)[:, cuts[0][0]]
        empty, absent = len(self) - len(seen), int(np.isnan(ious).sum())
        level = self.level or "not named"
        chosen = selection_words(name for _, name in cuts if name)
        conventions = {
            "level": f"{level} ({'score maps' if pooled.swept else 'label maps'})",
            "split": self.split or "not named",
            "comparator": "score > background score; ties: the lower class" if pooled.swept else "none: labels",
            "threshold selection": f"{chosen}; the mIoU decides; intervals hold it fixed" if chosen else "none: labels",
            "class source": "the classes whose maps are given" if pooled.swept else "as given",
            "box source": "none: pixels",
            "resolution": "pixels as given, each weighs the same; 255 in the mask is left out",
            "averaging": "mIoU: mean over classes (macro) of pixels summed over the split; pixel accuracy: micro over "
            "pixels, its macro the mean of the classes' shares",
            "classes": f"{self.num_classes} and the background (number {BACKGROUND}); {absent} of them in neither "
            "masks nor predictions: left out",
            "n": "images" + (f"; left out: {empty} without a pixel that counts" if empty else ""),
        }
        curves = {"mIoU over background score": Curve(self.thresholds, means, "background score", "mIoU (%)")}
        each = {k: float(iou) for k, iou in enumerate(ious, start=BACKGROUND)}
        return Result(self.metric, tuple(lines), conventions, curves if pooled.swept else {}, each)

    def place_of(self, value: float, selection: str) -> tuple[int, str]:
        """Return the place of a background score, and how it was chosen.

        Raises:
            ConfigError: it is none of ``thresholds``.
        """
        place = int(np.abs(self.thresholds - value).argmin())
        if abs(self.thresholds[place] - value) > 1e-6:
            raise ConfigError(
                f"No image was measured at the background score {value:g}; the nearest is {self.thresholds[place]:g}. "
                "Take that one, or make MeanIoU with thresholds that hold it."
            )
        return place, selection


def miou_score(pooled: ClassCounts, seen: Sequence[ClassCounts], place: int) -> Score:
    """Return the mean IoU at threshold number ``place`` with a bootstrap interval over images."""
    owner = np.repeat(np.arange(len(seen)), [len(row.values) for row in seen])
    value = np.concatenate([row.values for row in seen])
    shared = np.concatenate([row.shared[:, place] for row in seen]).astype(np.float64)
    either = np.concatenate([row.predicted[:, place] + row.true.astype(np.float64) for row in seen]) - shared
    classes = [np.flatnonzero((value == k) & (either > 0)) for k in np.unique(value)]

    def resampled(counts: np.ndarray) -> np.ndarray:
        ious = np.full((len(classes), len(counts)), np.nan)
        for number, rows in enumerate(classes):
            drawn = counts[:, owner[rows]].astype(np.float64)
            ious[number] = ratio(drawn @ shared[rows], drawn @ either[rows])
        return 100 * np.nanmean(ious, axis=0)

    mean = float(mean_ious(pooled)[place])
    return Score(mean, len(seen), *bootstrap_interval(resampled, len(seen)), mean, BOOTSTRAP)


def accuracy_score(pooled: ClassCounts, seen: Sequence[ClassCounts], place: int) -> Score:
    """Return the share of right pixels at threshold number ``place``, and the mean of the true classes' shares."""
    right = np.array([row.shared[:, place].sum() for row in seen], dtype=np.float64)
    pixels = np.array([row.true.sum() for row in seen], dtype=np.float64)
    ends = bootstrap_interval(lambda counts: 100 * (counts @ right) / (counts @ pixels), len(seen))
    macro = 100 * float(np.nanmean(ratio(pooled.shared[:, place], pooled.true)))
    return Score(100 * float(right.sum() / pixels.sum()), len(seen), *ends, macro, BOOTSTRAP)
