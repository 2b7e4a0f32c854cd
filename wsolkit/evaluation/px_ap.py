"""Average precision and IoU over pixels, of score maps against masks (Choe et al., CVPR 2020).

Conventions: every pixel of the split is one trial and weighs the same, so larger maps weigh more. Masks hold 0 for
background, 255 for pixels that are left out, and anything else for foreground. Scores are counted in the bins
[0, step), [step, 2 step), ..., [.., 1), [1, 2), [2, 3) of ``np.arange`` edges, as in wsolevaluation, and exactly as
``np.histogram`` counts them. A threshold is the lower edge of a bin; a pixel is foreground where score >= threshold.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from wsolkit.errors import DataError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import checked_class
from wsolkit.evaluation.class_masks import IGNORED
from wsolkit.evaluation.pixel_counts import at_least, bin_edges, compact, pixel_histograms, pooled_ap, pooled_iou, ratio
from wsolkit.evaluation.results import ORACLE, Curve, Line, Result
from wsolkit.evaluation.scores import BOOTSTRAP, Score, bootstrap_interval, class_means
from wsolkit.evaluation.thresholds import best_place, honest_threshold, selection_words

__all__ = ["PixelRow", "PxAP"]

BLOCK = 512  # images brought to float64 at a time: 4 MB per 1,000 bins


class PixelRow(NamedTuple):
    """What is kept of one image: pixels in each bin (bins,) in a small unsigned type, and the class or None."""

    foreground: np.ndarray
    background: np.ndarray
    label: int | None


class Pooled(NamedTuple):
    """Histograms of n images (n, bins) and their classes (n,), or None."""

    foreground: np.ndarray
    background: np.ndarray
    labels: np.ndarray | None


class PxAP(Accumulator[PixelRow]):
    """Average precision and IoU of pixels, pooled over a split.

    Lines ``PxAP``, ``PxIoU`` (IoU of all pixels of the split) and ``image IoU`` (mean over images with foreground of
    their own IoU, at the threshold of the PxIoU). Intervals hold the threshold fixed. An image takes 4 KB at the
    usual step.

    Args:
        step: width of the bins of scores.

    Raises:
        ConfigError: the step makes no sense.

    >>> metric = PxAP(step=0.1)
    >>> metric.update("a", score_map=np.array([[0.9, 0.65], [0.15, 0.3]]), mask=np.array([[1, 1], [0, 255]]))
    >>> result = metric.compute(threshold=0.1)
    >>> [(line.name, round(line.score.percent, 2), line.selection) for line in result.lines[:3]]
    [('PxAP', 100.0, None), ('PxIoU', 66.67, 'fixed'), ('PxIoU', 100.0, 'test-oracle')]
    """

    metric = "PxAP"

    def __init__(self, step: float = 0.001) -> None:
        super().__init__()
        self.step = float(step)
        bin_edges(self.step)

    def measure(self, score_map: Any, mask: Any, label: int | None = None) -> PixelRow:
        """Return what is kept of one image.

        Args:
            score_map: (H, W) scores in [0, 1].
            mask: (H, W) uint8, 0 background, 255 left out, anything else foreground; may leave out every pixel.
            label: class of the image for the macro average, or None.

        Raises:
            ShapeError: map and mask have different shapes.
            MapError: the map holds NaN or something outside [0, 1].
            DataError: the mask holds no whole numbers from 0 to 255, or the label is no class index.
        """
        foreground, background = pixel_histograms(score_map, mask, self.step)
        return PixelRow(compact(foreground), compact(background), None if label is None else checked_class(label))

    def pooled(self) -> tuple[Pooled, int]:
        """Return the histograms of the images with a pixel that counts, and how many more have none.

        Raises:
            DataError: there is no image, or no foreground.
        """
        rows = [row for _, row in self.ordered()]
        seen = [row for row in rows if row.foreground.any() or row.background.any()]
        if not any(row.foreground.any() for row in seen):
            raise DataError(
                f"The masks of {len(rows)} images hold no foreground pixel, so there is nothing to find. Foreground is "
                f"neither 0 nor {IGNORED}: of a mask of 0 and 255, give mask > 0."
            )
        labels = None if any(row.label is None for row in seen) else np.array([row.label for row in seen])
        foreground, background = np.stack([row.foreground for row in seen]), np.stack([row.background for row in seen])
        return Pooled(foreground, background, labels), len(rows) - len(seen)

    def best_threshold(self) -> float:
        """Return the bin edge of the best PxIoU over all images, the middle one of several.

        Raises:
            DataError: there is no image, or no foreground.
        """
        pooled, _ = self.pooled()
        ious = pooled_iou(pooled.foreground.sum(0), pooled.background.sum(0))
        return float(bin_edges(self.step)[best_place(ious[:-1])])

    def compute(self, threshold: float | Self | None = None) -> Result:
        """Return the numbers over all images; macro only where every image has a label.

        Args:
            threshold: a score, of which the nearest bin edge is taken, or a PxAP that saw the validation split, for its
                best threshold; None for the test-oracle numbers only.

        Raises:
            ConfigError: the threshold is neither in [0, 1] nor such a PxAP.
            DataError: there is no image, or no foreground.
        """
        pooled, empty = self.pooled()
        thresholds = bin_edges(self.step)[:-2]
        foreground, background = pooled.foreground.sum(0), pooled.background.sum(0)
        ious = pooled_iou(foreground, background)[:-1]
        cuts = [(best_place(ious), ORACLE)]
        if threshold is not None:
            value, selection = honest_threshold(threshold, self)
            cuts.insert(0, (int(np.abs(thresholds - value).argmin()), selection))
        ap, each = ap_score(pooled)
        found = [(iou_scores(pooled, place), float(thresholds[place]), selection) for place, selection in cuts]
        lines = [Line("PxAP", ap)]
        lines += [Line("PxIoU", scores[0], cut, selection) for scores, cut, selection in found]
        lines += [Line("image IoU", scores[1], cut, selection) for scores, cut, selection in found]
        taken = at_least(foreground) + at_least(background) > 0
        precision, recall = (
            100 * ratio(at_least(foreground), whole)[taken][::-1]
            for whole in (at_least(foreground) + at_least(background), np.full(len(taken), foreground.sum()))
        )
        curves = {
            "precision-recall": Curve(recall, precision, "recall (%)", "precision (%)"),
            "IoU over threshold": Curve(thresholds, ious, "threshold", "PxIoU (%)"),
        }
        conventions = {
            "comparator": f"score >= threshold; thresholds are the lower edges of bins of {self.step:g}",
            "threshold selection": f"PxAP: none, every bin; PxIoU: {selection_words(name for _, name in cuts)}; "
            "image IoU: that of PxIoU; intervals hold it fixed",
            "class source": "one map per image as given; the predicted class is not looked at",
            "box source": "none: pixels",
            "resolution": "pixels of maps and masks as given, each weighs the same",
            "average precision": "precision times gain in recall over bins, not interpolated",
            "averaging": "PxAP and PxIoU: micro over pixels; image IoU: micro over images with foreground; "
            "macro: mean over classes with foreground",
            "n": "images" + (f"; left out: {empty} without a pixel that counts" if empty else ""),
        }
        return Result(self.metric, tuple(lines), conventions, curves, each)


def ap_score(pooled: Pooled) -> tuple[Score, dict[int, float]]:
    """Return PxAP, and that of each class by class index (none without labels)."""

    def resampled(counts: np.ndarray) -> np.ndarray:
        found = np.zeros((2, len(counts), pooled.foreground.shape[1]))
        for start in range(0, len(pooled.foreground), BLOCK):  # sums of whole numbers: exact in any order
            part = slice(start, start + BLOCK)
            drawn = counts[:, part].astype(np.float64)
            for kind, histograms in enumerate((pooled.foreground, pooled.background)):
                found[kind] += drawn @ histograms[part].astype(np.float64)
        return pooled_ap(found[0], found[1])

    each: dict[int, float] = {}
    for k in [] if pooled.labels is None else np.unique(pooled.labels):
        of_class = pooled.labels == k
        each[int(k)] = float(pooled_ap(pooled.foreground[of_class].sum(0), pooled.background[of_class].sum(0)))
    percent = float(pooled_ap(pooled.foreground.sum(0), pooled.background.sum(0)))
    low, high = bootstrap_interval(resampled, len(pooled.foreground))
    macro = float(np.nanmean(list(each.values()))) if each else None
    return Score(percent, len(pooled.foreground), low, high, macro, BOOTSTRAP), each


def iou_scores(pooled: Pooled, place: int) -> tuple[Score, Score]:
    """Return PxIoU and image IoU at the lower edge of bin ``place``."""
    shared = pooled.foreground[:, place:].sum(1).astype(np.float64)
    whole = pooled.foreground.sum(1).astype(np.float64)
    union = whole + pooled.background[:, place:].sum(1)
    ious = 100 * ratio(shared, union)[whole > 0]
    macros: list[float | None] = [None, None]
    if pooled.labels is not None:
        present, classes = np.unique(pooled.labels, return_inverse=True)
        found, truth, either = (np.bincount(classes, each, len(present)) for each in (shared, whole, union))
        macros = [
            100 * float(np.mean(ratio(found, either)[truth > 0])),
            float(np.mean(list(class_means(ious, pooled.labels[whole > 0]).values()))),
        ]
    ends = bootstrap_interval(lambda counts: 100 * ratio(counts @ shared, counts @ union), len(union))
    pixels = Score(100 * float(shared.sum() / union.sum()), len(union), *ends, macros[0], BOOTSTRAP)
    ends = bootstrap_interval(lambda counts: counts @ ious / counts.sum(1), len(ious))
    return pixels, Score(float(ious.mean()), len(ious), *ends, macros[1], BOOTSTRAP)
