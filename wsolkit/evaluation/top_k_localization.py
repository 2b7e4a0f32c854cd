"""Localization together with classification: GT-known, top-1 and top-5, in the three ways papers count top-5.

Conventions: a trial is one (image, class) pair with a true box; its box is that of the class's map at one threshold for
the split, or where the box extractor chooses one for each map; a hit is an IoU of at least ``iou`` with any true box of
the class. Each number says which class's map the box came from:

- ``GT-known``: map of the true class.
- ``top-1 loc``: the best logit is the label, and the box hits. The predicted class's map is then the true class's.
- ``top-5 loc`` (ILSVRC): one of the five best (class, box) pairs is right, each box from its class's own map; only the
  pair of the label can be.
- ``top-5 loc, one box`` (PSOL, C2AM): the label is among the five best, and the one box of the image hits: that of the
  true or of the predicted class, by ``class_source``.
- ``top-5 loc, top-1 map`` (TS-CAM): the label is among the five best, and the box of the predicted class hits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, Self

import numpy as np

from wsolkit.errors import ConfigError, DataError, in_range, one_of
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import checked_boxes, checked_class, checked_map
from wsolkit.evaluation.classification import checked_scores, label_rank
from wsolkit.evaluation.failures import Trial, failure_of
from wsolkit.evaluation.map_boxes import CONVENTIONS, Convention, cuts_of, largest_boxes, sweep_overlaps
from wsolkit.evaluation.overlap import best_iou
from wsolkit.evaluation.results import ORACLE, OWN, Curve, Line, Result
from wsolkit.evaluation.scores import rate_of
from wsolkit.evaluation.thresholds import best_place, check_thresholds, honest_threshold, index_of, selection_words

__all__ = ["CLASS_AGNOSTIC", "Extractor", "LocalizedMap", "TopKLocalization"]

CLASS_AGNOSTIC = -1
"""Key of a map that stands for every class."""


class Extractor(Protocol):
    """What finds boxes in a map: a ``BoxExtractor``, as far as the evaluation looks."""

    chooses_threshold: Any
    threshold: float

    def sweep(
        self, score_map: np.ndarray, thresholds: Sequence[float], features: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the best box at each threshold, (T, 4) in pixels of the map; all 0 where there is none."""


class LocalizedMap(NamedTuple):
    """What is kept of one (image, class) pair: label, its place among the logits, and the boxes from the two maps.

    Attributes:
        label: the true class.
        rank: place of the label among the logits, 0 best; None without logits.
        true: (T,) overlap of the box from the true class's map at each threshold.
        predicted: (T,) the same from the predicted class's map; None where it is not known.
        boxes: (T, 4) boxes from the true class's map, in fractions of the image.
        truth: (M, 4) true boxes, likewise.
        shape: (H, W) of the map of the true class.
        classes: how many classes there are; None without logits.
    """

    label: int
    rank: int | None
    true: np.ndarray
    predicted: np.ndarray | None
    boxes: np.ndarray
    truth: np.ndarray
    shape: tuple[int, int]
    classes: int | None = None


class TopKLocalization(Accumulator[list[LocalizedMap]]):
    """GT-known, top-1 and top-5 localization.

    Args:
        iou: overlap that makes a hit.
        class_source: whose map gives the one box of ``top-5 loc, one box``: ``gt`` or ``pred``.
        convention: ``wsoleval`` or ``exact``; see ``map_boxes``.
        thresholds: fractions of the map's maximum in [0, 1), or the step from 0 to 1.
        extractor: what finds the boxes, with ``convention="exact"``; None for the largest component. One that chooses a
            threshold for each map is asked once.

    Raises:
        ConfigError: an argument is none of the allowed ones.

    >>> metric = TopKLocalization(convention="exact")
    >>> right, wrong = np.zeros((2, 8, 8))
    >>> right[2:6, 2:6] = 1
    >>> wrong[:3, :3] = 1
    >>> logits = np.array([3.0, 2, 1, 0, -1, -2])
    >>> metric.update("a", {0: wrong, 1: right}, label=1, gt_boxes=[[2, 2, 6, 6]], logits=logits)
    >>> result = metric.compute(threshold=0.2)
    >>> {line.name: line.score.percent for line in result.lines[:4]}
    {'GT-known': 100.0, 'top-1 loc': 0.0, 'top-5 loc': 100.0, 'top-5 loc, one box': 100.0}
    """

    metric = "TopKLocalization"

    def __init__(
        self,
        iou: float = 0.5,
        class_source: Literal["gt", "pred"] = "gt",
        convention: Convention = "wsoleval",
        thresholds: float | Sequence[float] | np.ndarray = 0.001,
        extractor: Extractor | None = None,
    ) -> None:
        super().__init__()
        one_of("class_source", class_source, ("gt", "pred"))
        one_of("convention", convention, CONVENTIONS)
        in_range("iou", iou, "in (0, 1)")
        if extractor is not None and convention != "exact":
            raise ConfigError("A box extractor has a convention of its own. Set convention='exact' beside it.")
        self.iou = float(iou)
        self.class_source = class_source
        self.convention = convention
        self.extractor = extractor
        self.own = extractor is not None and bool(extractor.chooses_threshold)
        self.thresholds = check_thresholds([extractor.threshold] if extractor and self.own else thresholds)

    def settings(self) -> dict[str, Any]:
        """Return what two accumulators must have in common to be merged."""
        return {**super().settings(), "extractor": type(self.extractor).__name__}

    @property
    def box_source(self) -> str:
        """Which box of a map counts, in words."""
        if self.extractor is not None:
            return f"best scored of {type(self.extractor).__name__}"
        return "largest contour" if self.convention == "wsoleval" else "largest component"

    def measure(
        self,
        score_maps: Mapping[int, np.ndarray],
        label: int,
        gt_boxes: np.ndarray,
        logits: np.ndarray | None = None,
        size: tuple[int, int] | None = None,
        features: np.ndarray | None = None,
    ) -> list[LocalizedMap]:
        """Return what is kept of one image and class.

        Args:
            score_maps: (H, W) map in [0, 1] of the true class and, where it is another one, of the predicted class; or
                one map under ``CLASS_AGNOSTIC``.
            label: the true class.
            gt_boxes: (M, 4); for ``wsoleval`` in pixels of the map as in ``box_hits``, else half open in pixels of
                ``size``.
            logits: (K,); None for GT-known alone.
            size: (width, height) that the true boxes are in; that of the map by default.
            features: (C, h, w) last features, for box extractors that compare them.

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
        own = score_maps.get(label, score_maps.get(CLASS_AGNOSTIC))
        if own is None:
            raise DataError(f"There is no map of the true class {label}; maps are there of {sorted(score_maps)}.")
        true, boxes, truth = self._overlaps(own, gt_boxes, size, features)
        predicted = None
        if best is not None:
            other = score_maps.get(best, score_maps.get(CLASS_AGNOSTIC))
            if other is own:
                predicted = true
            elif other is not None:
                predicted = self._overlaps(other, gt_boxes, size, features)[0]
        height, width = np.shape(own)
        classes = None if logits is None else len(logits)
        return [LocalizedMap(label, rank, true, predicted, boxes, truth, (height, width), classes)]

    def _overlaps(
        self, score_map: np.ndarray, gt_boxes: Any, size: tuple[int, int] | None, features: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the overlap (T,) and box (T, 4) of a map at each threshold and the true boxes, boxes in fractions."""
        if self.convention == "wsoleval":
            found = sweep_overlaps(score_map, gt_boxes, thresholds=self.thresholds, convention=self.convention)
            places = cuts_of(self.thresholds, found.peak, self.convention)
            return found.ious[places], np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32)
        sides = np.array([*np.shape(checked_map(score_map))[::-1]] * 2, np.float64)
        whole = sides if size is None else np.array([*size] * 2, np.float64)
        truth = checked_boxes(gt_boxes, "gt_boxes", (int(sides[0]), int(sides[1])) if size is None else None)
        if not len(truth):
            raise DataError("There is no true box to compare a map with. Leave the image out of box metrics.")
        if self.extractor is None:
            swept = largest_boxes(score_map, self.thresholds)
        else:
            swept = self.extractor.sweep(score_map, self.thresholds.tolist(), features)
        boxes = swept / sides
        ious = best_iou(boxes * whole, truth).astype(np.float32)
        return ious, boxes.astype(np.float32), (truth / whole).clip(0, 1).astype(np.float32)

    def _rows(self) -> list[tuple[str, LocalizedMap]]:
        """Return every trial with its image's name, by name."""
        return [(image_id, row) for image_id, rows in self.ordered() for row in rows]

    def overlaps_at(self, place: int, predicted: bool = False) -> np.ndarray:
        """Return the overlap (n,) of the box from the true or the predicted class's map at a threshold's place."""
        found = [row.predicted if predicted else row.true for _, row in self._rows()]
        return np.array([np.nan if each is None else each[place] for each in found])

    def curve(self) -> np.ndarray:
        """Return GT-known in percent at each threshold (T,)."""
        hits = np.zeros(len(self.thresholds))
        rows = self._rows()
        for _, row in rows:
            hits += row.true >= self.iou
        return 100 * hits / len(rows)

    def best_threshold(self) -> float:
        """Return the threshold of the best GT-known; the middle one of several."""
        return float(self.thresholds[best_place(self.curve())])

    def trials(self, threshold: float, iou: float | None = None) -> list[Trial]:
        """Return what became of every box at a threshold, for tables of failures and for pictures.

        Args:
            threshold: fraction of the map's maximum; the nearest measured one is taken.
            iou: overlap that makes a hit; that of the metric by default.
        """
        place = 0 if self.own else index_of(threshold, self.thresholds)
        wanted = self.iou if iou is None else iou
        found = []
        for image_id, row in self._rows():
            if not len(row.boxes):
                raise ConfigError("Boxes are kept with convention='exact' only. Take MaxBoxAcc's trials instead.")
            best, box = float(row.true[place]), row.boxes[place].astype(np.float64)
            found.append(
                Trial(
                    image_id,
                    row.label,
                    tuple(box.round(5).tolist()),
                    tuple(map(tuple, row.truth.astype(float).round(5).tolist())),
                    best,
                    failure_of(box, row.truth, best >= wanted),
                    None if row.rank is None else row.rank < 1,
                )
            )
        return found

    def compute(self, threshold: float | Self | None = None) -> Result:
        """Return the numbers over all images.

        Args:
            threshold: a fraction of the map's maximum, or an accumulator of the same kind that saw the validation
                split, for its threshold of best GT-known; None for the test-oracle numbers only. An extractor that
                chooses a threshold for each map needs none.

        Raises:
            ConfigError: the threshold is neither, or that accumulator has another ``iou``, ``convention`` or extractor.
            DataError: there is no image.
        """
        curve = self.curve()
        chosen = [(best_place(curve), ORACLE)]
        if self.own:
            chosen = [(0, OWN)]
        elif threshold is not None:
            value, selection = honest_threshold(threshold, self, same=("iou", "convention", "box_source"))
            chosen.insert(0, (index_of(value, self.thresholds), selection))
        rows = [row for _, row in self._rows()]
        labels = [row.label for row in rows]
        lines = [
            Line(name, rate_of(hits, labels), None if self.own else float(self.thresholds[place]), selection)
            for place, selection in chosen
            for name, hits in self._hits(place, rows).items()
        ]
        drawn = {"GT-known over threshold": Curve(self.thresholds, curve, "threshold", "hits (%)")}
        return Result(self.metric, tuple(lines), self._conventions(chosen, rows), {} if self.own else drawn)

    def _hits(self, place: int, rows: Sequence[LocalizedMap]) -> dict[str, np.ndarray]:
        """Return what is a hit (n,) for each number at a threshold's place; numbers that mean nothing are left out."""
        true = self.overlaps_at(place) >= self.iou
        found = {"GT-known": true}
        if any(row.rank is None for row in rows):
            return found
        ranks = np.array([row.rank for row in rows])
        found["top-1 loc"] = true & (ranks < 1)
        if few_classes(rows):
            return found
        found["top-5 loc"] = true & (ranks < 5)
        if self.class_source == "gt":
            found["top-5 loc, one box"] = true & (ranks < 5)
        if all(row.predicted is not None for row in rows):
            predicted = (self.overlaps_at(place, predicted=True) >= self.iou) & (ranks < 5)
            if self.class_source == "pred":
                found["top-5 loc, one box"] = predicted
            found["top-5 loc, top-1 map"] = predicted
        return found

    def _conventions(self, chosen: Sequence[tuple[int, str]], rows: Sequence[LocalizedMap]) -> dict[str, str]:
        """Return how the numbers were made, in words."""
        ranked = all(row.rank is not None for row in rows)
        both = ranked and all(row.predicted is not None for row in rows)
        shapes = sorted({row.shape for row in rows})
        conventions = {
            "comparator": f"IoU >= {self.iou:g}",
            "convention": self.convention,
            "threshold selection": selection_words(selection for _, selection in chosen)
            + ("" if self.own else ", by GT-known"),
            "class source": "GT-known and own map: true class; one box: "
            + ("true" if self.class_source == "gt" else "predicted")
            + " class; top-1 map: predicted class",
            "box source": self.box_source,
            "resolution": f"{shapes[0][1]} x {shapes[0][0]}" if len(shapes) == 1 else f"{len(shapes)} sizes of maps",
            "averaging": "micro over trials; macro: mean over classes",
            "n": f"(image, class) pairs, of {len(self)} images" + ("" if ranked else "; no logits: GT-known alone"),
        }
        if few_classes(rows):
            conventions["left out"] = "top-5: there are no more than five classes"
        elif ranked and not both:
            names = "top-1 map" if self.class_source == "gt" else "one box and top-1 map"
            conventions["left out"] = f"{names}: images lack the map of the predicted class"
        return conventions


def few_classes(rows: Sequence[LocalizedMap]) -> bool:
    """Whether there are so few classes that any label is among five."""
    return any(row.classes is not None and row.classes <= 5 for row in rows)
