"""Pointwise localization: does the strongest point of a class's map lie on an object of the class?

Conventions (Oquab et al., CVPR 2015; WILDCAT, CVPR 2017): each (image, class) pair has one answer, the point of the
map's maximum, ranked by the image's score of the class. The maximum is looked for in the map as given; of several the
first in raster order counts; its pixel's centre is carried to the image, x = (column + .5) width / w. The answer is
right where the point is inside a true box of the class that is not difficult, widened by ``tolerance`` pixels of the
image on every side (half open: x0 - t <= x < x1 + t). Every other answer is a false positive, also the one with a wrong
point on an image that shows the class: that image stays to be found, so recall is right answers over the images with
the class. A class with nothing but difficult boxes in an image is left out there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, DataError, MapError, ShapeError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import checked_truth
from wsolkit.evaluation.classification import (
    DRAWS,
    checked_interpolation,
    checked_scores,
    common_classes,
    mean_over_classes,
    pooled_classes,
    ranking_of,
)
from wsolkit.evaluation.results import Line, Result

__all__ = ["PointLocalizationMAP", "PointRow", "map_point"]


def map_point(score_map: np.ndarray, size: tuple[int, int]) -> tuple[float, float]:
    """Return the point (x, y) of a map's maximum, in pixels of the image.

    Args:
        score_map: (H, W) scores over the whole image, larger for surer.
        size: (width, height) of the image.

    Raises:
        ShapeError: the map is not (H, W), or empty.
        MapError: the map holds NaN or infinity.
        DataError: the size is none.

    >>> map_point(np.array([[0.0, 1.0], [0.0, 0.0]]), (100, 60))
    (75.0, 15.0)
    """
    try:
        scores = np.asarray(score_map, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"A map should be (H, W) numbers, but got {str(score_map)[:60]} ({error}).") from error
    if scores.ndim != 2 or scores.size == 0:
        raise ShapeError(f"A map should be (H, W) with at least one pixel, but got shape {scores.shape}.")
    if not np.isfinite(scores).all():
        raise MapError(
            f"A map holds NaN or infinity at {int((~np.isfinite(scores)).sum())} of {scores.size} pixels: the model "
            "has diverged. Take an earlier checkpoint."
        )
    width, height = checked_size(size)
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    return (float(column) + 0.5) * width / scores.shape[1], (float(row) + 0.5) * height / scores.shape[0]


def checked_size(size: Any) -> tuple[float, float]:
    """Return (width, height) as floats.

    Raises:
        DataError: it is no pair of positive numbers.
    """
    try:
        width, height = (float(side) for side in size)
    except (TypeError, ValueError):
        width = height = float("nan")
    if not (0 < width < np.inf and 0 < height < np.inf):
        raise DataError(f"size should be (width, height) of the image in pixels, but got {size!r}.")
    return width, height


class PointRow(NamedTuple):
    """What is kept of one image.

    Attributes:
        scores: (K,) float64 of the classes.
        labels: (K,) int8, 1 present, 0 absent, -1 only difficult boxes.
        right: (K,) bool, present and the point is on the object.
    """

    scores: np.ndarray
    labels: np.ndarray
    right: np.ndarray


class PointLocalizationMAP(Accumulator[PointRow]):
    """Mean average precision of pointwise localization (see the module's conventions).

    Lines: ``PointLocalizationMAP``, whose ``percent`` and ``macro`` are both the mean over the classes that some image
    shows, and ``PointLocalizationMAP micro``, one ranking of all (image, class) pairs.

    Args:
        tolerance: pixels of the image by which boxes are widened; 18 in Oquab et al.
        interpolation: ``all-point`` (VOC since 2010) or ``11-point`` (VOC 2007).
        draws: draws of the bootstrap.

    Raises:
        ConfigError: the tolerance is negative, or there is no such interpolation.

    >>> metric = PointLocalizationMAP()
    >>> metric.update(
    ...     "a",
    ...     score_maps={1: np.array([[0.0, 1.0]])},
    ...     class_scores=np.array([0.2, 0.9]),
    ...     gt_boxes=[[60, 0, 90, 50]],
    ...     gt_labels=[1],
    ...     difficult=[False],
    ...     size=(100, 50),
    ... )
    >>> metric.compute()["PointLocalizationMAP"].percent
    100.0
    """

    metric = "PointLocalizationMAP"

    def __init__(self, tolerance: float = 0, interpolation: str = "all-point", draws: int = DRAWS) -> None:
        super().__init__()
        if not 0 <= tolerance < np.inf:
            raise ConfigError(f"tolerance should be pixels from 0 (18 in Oquab et al.), but got {tolerance!r}.")
        self.tolerance = float(tolerance)
        self.interpolation = checked_interpolation(interpolation)
        self.draws = draws

    def measure(
        self,
        score_maps: Mapping[int, np.ndarray],
        class_scores: np.ndarray,
        gt_boxes: Any,
        gt_labels: Any,
        difficult: Any = None,
        *,
        size: tuple[int, int],
    ) -> PointRow:
        """Return what is kept of one image.

        Args:
            score_maps: (H, W) by class index, at least for the classes with a true box that is not difficult.
            class_scores: (K,) of the classes, larger for surer.
            gt_boxes: (M, 4) true boxes in pixels of the image.
            gt_labels: (M,) class index of each.
            difficult: (M,) bool; None for none.
            size: (width, height) of the image.

        Raises:
            ShapeError: maps, scores, boxes or labels have another shape.
            MapError: a map holds NaN or infinity.
            DataError: scores hold NaN, a box is wrong or outside the image, a label is no class, or a map is missing.
        """
        checked_size(size)
        scores = checked_scores(class_scores, what="class_scores")
        truth = checked_truth(gt_boxes, gt_labels, difficult, size)
        if len(truth.labels) and truth.labels.max() >= len(scores):
            raise DataError(
                f"gt_labels has class {truth.labels.max()}, but class_scores has only {len(scores)} classes."
            )
        labels, right = np.zeros(len(scores), np.int8), np.zeros(len(scores), bool)
        labels[truth.labels] = -1
        labels[truth.labels[~truth.difficult]] = 1
        for k in np.flatnonzero(labels == 1).tolist():
            if k not in score_maps:
                raise DataError(
                    f"The image shows class {k}, but score_maps has no map of it (it has {sorted(score_maps)}). Give a "
                    "map of every class that has boxes."
                )
            point = np.array(map_point(score_maps[k], size))
            boxes = truth.boxes[(truth.labels == k) & ~truth.difficult]
            inside = (boxes[:, :2] - self.tolerance <= point) & (point < boxes[:, 2:] + self.tolerance)
            right[k] = inside.all(1).any()
        return PointRow(scores, labels, right)

    def compute(self) -> Result:
        """Return the numbers over all images.

        Raises:
            DataError: there is no image, images differ in their number of classes, or none shows a class.
        """
        rows = self.ordered()
        classes = common_classes([(name, len(row.scores)) for name, row in rows])
        scores, labels, right = (np.stack(column) for column in zip(*(row for _, row in rows), strict=True))
        rankings = {}
        for k in range(classes):
            counted = np.flatnonzero(labels[:, k] >= 0)
            positives = (labels[:, k] == 1).astype(np.int64)
            rankings[k] = ranking_of(scores[counted, k], right[counted, k], counted, positives)
        mean, each = mean_over_classes(rankings, len(rows), self.interpolation, self.draws)
        micro = pooled_classes(rankings, len(rows), self.interpolation, self.draws)
        conventions = {
            "comparator": f"map maximum inside a true box widened by {self.tolerance:g} pixels",
            "threshold selection": "none: all class scores are taken",
            "class source": "every class, ranked by its score; only difficult boxes: left out",
            "box source": "none: one point per image and class, first maximum in raster order, pixel centre",
            "resolution": "pixels of the original image as given by size",
            "average precision": f"{self.interpolation}, equal scores share one point",
            "recall": "right points over images with a box of the class that is not difficult",
            "averaging": "percent: mean over classes with a positive (macro); micro: one ranking of all pairs",
            "n": "images",
        }
        lines = (Line(self.metric, mean), Line(f"{self.metric} micro", micro))
        return Result(self.metric, lines, conventions, each_class=each)
