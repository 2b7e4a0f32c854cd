"""Localization together with classification: GT-known, top-1 and top-5, in the three ways papers count top-5.

Conventions: one label per image; the box is that of the largest component of a map at one threshold for the split; a
hit is an IoU of at least ``iou`` with any true box. Each number says which class's map the box came from:

- ``GT-known``: map of the true class.
- ``top-1``: the best logit is the label, and the box hits. The predicted class's map is then the true class's.
- ``top-5, own map`` (ILSVRC): one of the five best (class, box) pairs is right, each box from its class's own map; only
  the pair of the label can be.
- ``top-5, one box`` (PSOL, C2AM): the label is among the five best, and the one box of the image hits: that of the true
  or of the predicted class, by ``class_source``.
- ``top-5, top-1 map`` (TS-CAM): the label is among the five best, and the box of the predicted class hits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Self

import numpy as np

from wsolkit.errors import ConfigError, DataError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import checked_class
from wsolkit.evaluation.classification import checked_scores, label_rank
from wsolkit.evaluation.map_boxes import CONVENTIONS, Convention, Sweep, cuts_of, sweep_overlaps
from wsolkit.evaluation.results import ORACLE, Curve, Line, Result
from wsolkit.evaluation.scores import rate_of
from wsolkit.evaluation.thresholds import best_place, check_thresholds, honest_threshold, index_of, selection_words

__all__ = ["CLASS_AGNOSTIC", "LocalizedImage", "TopKLocalization"]

CLASS_AGNOSTIC = -1
"""Key of a map that stands for every class."""


class LocalizedImage(NamedTuple):
    """What is kept of one image: label, its place among the logits, and the boxes from the two maps.

    Attributes:
        label: the true class.
        rank: place of the label among the logits, 0 best; None without logits.
        true: boxes from the map of the true class.
        predicted: boxes from the map of the predicted class; None where it is not known.
        shape: (H, W) of the map of the true class.
        classes: how many classes there are; None without logits.
    """

    label: int
    rank: int | None
    true: Sweep
    predicted: Sweep | None
    shape: tuple[int, int]
    classes: int | None = None


class TopKLocalization(Accumulator[LocalizedImage]):
    """GT-known, top-1 and top-5 localization.

    Args:
        iou: overlap that makes a hit.
        class_source: whose map gives the one box of ``top-5, one box``: ``gt`` or ``pred``.
        convention: ``wsoleval`` or ``exact``; see ``map_boxes``.
        thresholds: fractions of the map's maximum in [0, 1), or the step from 0 to 1.

    Raises:
        ConfigError: an argument is none of the allowed ones.

    >>> metric = TopKLocalization(convention="exact")
    >>> right, wrong = np.zeros((2, 8, 8))
    >>> right[2:6, 2:6] = 1
    >>> wrong[:3, :3] = 1
    >>> logits = np.array([3.0, 2, 1, 0, -1, -2])
    >>> metric.update("a", {0: wrong, 1: right}, label=1, gt_boxes=[[2, 2, 6, 6]], logits=logits)
    >>> result = metric.compute(threshold=0.2)
    >>> {line.name: line.score.percent for line in result.lines[:5]}
    {'GT-known': 100.0, 'top-1': 0.0, 'top-5, own map': 100.0, 'top-5, one box': 100.0, 'top-5, top-1 map': 0.0}
    """

    metric = "TopKLocalization"

    def __init__(
        self,
        iou: float = 0.5,
        class_source: Literal["gt", "pred"] = "gt",
        convention: Convention = "wsoleval",
        thresholds: float | Sequence[float] | np.ndarray = 0.001,
    ) -> None:
        super().__init__()
        if class_source not in ("gt", "pred") or convention not in CONVENTIONS or not 0 < iou < 1:
            raise ConfigError(
                f"class_source should be 'gt' or 'pred', convention one of {CONVENTIONS} and iou in (0, 1), but got "
                f"{class_source!r}, {convention!r} and {iou!r}."
            )
        self.iou = float(iou)
        self.class_source = class_source
        self.convention = convention
        self.thresholds = check_thresholds(thresholds)

    def measure(
        self,
        score_maps: Mapping[int, np.ndarray],
        label: int,
        gt_boxes: np.ndarray,
        logits: np.ndarray | None = None,
    ) -> LocalizedImage:
        """Return what is kept of one image.

        Args:
            score_maps: (H, W) map in [0, 1] of the true class and, where it is another one, of the predicted class; or
                one map under ``CLASS_AGNOSTIC``.
            label: the true class.
            gt_boxes: (M, 4) in pixels of the map, as in ``box_hits``.
            logits: (K,); None for GT-known alone.

        Raises:
            DataError: there is no map of the true class, no true box, the label is none of the logits', or the maps are
                not given by class.
            MapError: a map holds NaN or scores outside [0, 1].
            ShapeError: a map is not (H, W), the boxes are not (M, 4), or the logits not (K,).
        """
        if not isinstance(score_maps, Mapping):
            raise DataError(
                f"score_maps should be maps by class index, as {{class: map}}, but got a {type(score_maps).__name__}. "
                f"Give one map for every class as {{CLASS_AGNOSTIC: map}}, which is {CLASS_AGNOSTIC}."
            )
        rank = best = None
        label = checked_class(label)
        if logits is not None:
            logits = checked_scores(logits)
            rank = label_rank(logits, checked_class(label, len(logits)))
            best = int(np.argmax(logits))

        def sweep(k: int) -> Sweep | None:
            score_map = score_maps.get(k, score_maps.get(CLASS_AGNOSTIC))
            if score_map is None:
                return None
            found = sweep_overlaps(score_map, gt_boxes, thresholds=self.thresholds, convention=self.convention)
            return found._replace(boxes=found.boxes[:0])  # overlaps are all that counts here

        true = sweep(label)
        if true is None:
            raise DataError(f"There is no map of the true class {label}; maps are there of {sorted(score_maps)}.")
        same = best == label or (label not in score_maps and best not in score_maps)
        height, width = np.shape(score_maps[label if label in score_maps else CLASS_AGNOSTIC])
        predicted = None if best is None else true if same else sweep(best)
        classes = None if logits is None else len(logits)
        return LocalizedImage(label, rank, true, predicted, (height, width), classes)

    def overlaps_at(self, place: int, predicted: bool = False) -> np.ndarray:
        """Return the overlap (n,) of the box from the true or the predicted class's map at a threshold's place."""
        sweeps = [row.predicted if predicted else row.true for _, row in self.ordered()]
        return np.array(
            [
                np.nan if sweep is None else sweep.ious[cuts_of(self.thresholds, sweep.peak, self.convention)[place]]
                for sweep in sweeps
            ]
        )

    def curve(self) -> np.ndarray:
        """Return GT-known in percent at each threshold (T,)."""
        hits = np.zeros(len(self.thresholds))
        for _, row in self.ordered():
            hits += row.true.ious[cuts_of(self.thresholds, row.true.peak, self.convention)] >= self.iou
        return 100 * hits / len(self)

    def best_threshold(self) -> float:
        """Return the threshold of the best GT-known; the middle one of several."""
        return float(self.thresholds[best_place(self.curve())])

    def compute(self, threshold: float | Self | None = None) -> Result:
        """Return the numbers over all images.

        Args:
            threshold: a fraction of the map's maximum, or an accumulator of the same kind that saw the validation
                split, for its threshold of best GT-known; None for the test-oracle numbers only.

        Raises:
            ConfigError: the threshold is neither, or that accumulator has another ``iou`` or ``convention``.
            DataError: there is no image.
        """
        curve = self.curve()
        chosen = [(best_place(curve), ORACLE)]
        if threshold is not None:
            value, selection = honest_threshold(threshold, self, same=("iou", "convention"))
            chosen.insert(0, (index_of(value, self.thresholds), selection))
        rows = [row for _, row in self.ordered()]
        labels = [row.label for row in rows]
        ranked = all(row.rank is not None for row in rows)
        ranks = np.array([row.rank for row in rows]) if ranked else np.zeros(len(rows))
        both = ranked and all(row.predicted is not None for row in rows)
        few = any(row.classes is not None and row.classes <= 5 for row in rows)  # any label is among five then
        lines = []
        for place, selection in chosen:
            true = self.overlaps_at(place) >= self.iou
            found = {"GT-known": true}
            if ranked:
                found |= {"top-1": true & (ranks < 1), "top-5, own map": true & (ranks < 5)}
                if self.class_source == "gt":
                    found["top-5, one box"] = true & (ranks < 5)
            if both:
                predicted = (self.overlaps_at(place, predicted=True) >= self.iou) & (ranks < 5)
                if self.class_source == "pred":
                    found["top-5, one box"] = predicted
                found["top-5, top-1 map"] = predicted
            lines += [
                Line(name, rate_of(hits, labels), float(self.thresholds[place]), selection)
                for name, hits in found.items()
                if not (few and name.startswith("top-5"))
            ]
        shapes = sorted({row.shape for row in rows})
        conventions = {
            "comparator": f"IoU >= {self.iou:g}",
            "convention": self.convention,
            "threshold selection": selection_words(selection for _, selection in chosen) + ", by GT-known",
            "class source": "GT-known and own map: true class; one box: "
            + ("true" if self.class_source == "gt" else "predicted")
            + " class; top-1 map: predicted class",
            "box source": "largest contour" if self.convention == "wsoleval" else "largest component",
            "resolution": f"{shapes[0][1]} x {shapes[0][0]}" if len(shapes) == 1 else f"{len(shapes)} sizes of maps",
            "averaging": "micro over images; macro: mean over classes",
            "n": "images" + ("" if ranked else "; no logits, so GT-known alone"),
        }
        if few:
            conventions["left out"] = "top-5: there are no more than five classes"
        elif ranked and not both:
            names = "top-1 map" if self.class_source == "gt" else "one box and top-1 map"
            conventions["left out"] = f"{names}: images lack the map of the predicted class"
        drawn = {"GT-known over threshold": Curve(self.thresholds, curve, "threshold", "hits (%)")}
        return Result(self.metric, tuple(lines), conventions, drawn)
