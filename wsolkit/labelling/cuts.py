"""Where the maps are cut: chosen without boxes, or by the boxes of photographs that a person has checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from wsolkit.evaluation import LabelFreeThreshold
from wsolkit.evaluation.overlap import box_iou
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.scale_boxes import scale_boxes
from wsolkit.interfaces import BoxExtractor
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.seen import Seen
from wsolkit.progress import Shows, hidden

__all__ = ["CHECKED", "Honest", "cut_of_checked", "label_free_cut", "results_with_maps"]

CHECKED = "chosen on the checked photographs"

LOOKED_AT = 500
"""Photographs whose maps tell where to cut."""

CUTS = np.round(np.arange(0.05, 0.96, 0.02), 2)
FEWEST = 10
"""Checked photographs that a cut is chosen on at least."""
SURE = 2.0
"""Standard errors by which another cut has to be better."""

HIT = 0.5
NORMAL = 1.959964
"""The quantile of a 95 % interval."""


def results_with_maps(
    predictor: Predictor,
    photographs: Photographs,
    seen: Seen,
    indices: Sequence[int],
    mirrored: bool = False,
    failures: MutableMapping[str, ImageResult | Failure] | None = None,
) -> Iterator[ImageResult]:
    """Yield the results of photographs with the maps of a predictor that keeps them.

    Those of mirror images are not flipped back. ``failures`` gets, by name, what cannot be read.
    """
    labels, batches = photographs.labels, seen.batches(indices, mirrored)
    asked, names = predictor.class_source(labels), predictor.categories(labels)
    for batch, results in predictor.run(batches, asked, names, None):
        if failures is not None:
            failures.update((each.image_id, each) for each in batch.failures)
        yield from results


def label_free_cut(predictor: Predictor, photographs: Photographs, seen: Seen, shows: Shows = hidden) -> float | None:
    """Return where the maps are to be cut, told from maps alone; None where the extractor chooses for each map."""
    if predictor.box_extractor.chooses_threshold:
        return None
    count = len(photographs.files)
    indices = range(0, count, max(1, -(-count // LOOKED_AT)))
    chosen = LabelFreeThreshold()
    with shows("cut", len(indices)) as advance:
        for result in results_with_maps(predictor, photographs, seen, indices):
            if result.maps:
                chosen.update(result.image_id, *result.maps.values())
            advance(1)
    predictor.model.head.end_pass()
    return round(float(chosen.best_threshold()), 3)


@dataclass(frozen=True)
class Honest:
    """How good boxes are on photographs that a person has checked, at a cut that they did not choose themselves.

    Attributes:
        cut: the cut chosen on all of them, or the one that was given.
        images: how many they are.
        hits: share of the checked boxes that a box fits with an IoU of .5 or more.
        low: lower end of its 95 % interval (Wilson).
        high: upper end.
        mean_iou: mean IoU of the checked boxes with the box that fits best.
        chosen: whether they have chosen the cut; else it is the one told without boxes, or given.
        given: whether the cut was given: all are judged at it, and not each half at the cut of the other.
    """

    cut: float
    images: int
    hits: float
    low: float
    high: float
    mean_iou: float
    chosen: bool
    given: bool = False

    @property
    def line(self) -> str:
        """The number in words."""
        where = f"cut at {self.cut:g}, as given" if self.given else "each half cut as the other half says"
        return (
            f"{100 * self.hits:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}] of the boxes on {self.images} "
            f"checked photographs are found with an IoU of .5, mean IoU {self.mean_iou:.2f} ({where})."
        )


def cut_of_checked(
    predictor: Predictor,
    results: Iterable[ImageResult],
    checked: Mapping[str, Sequence[FoundBox]],
    free: float,
    given: float | None = None,
) -> Honest | None:
    """Choose a cut by checked boxes, and judge it honestly: each half at the cut that the other half chooses.

    A cut that is given is judged alone.

    Args:
        predictor: its box extractor finds the boxes.
        results: the checked photographs with their maps.
        checked: their boxes by name.
        free: the cut that was told without boxes, which is kept where no other one is surely better. No cut that these
            photographs have chosen before: its number would not be held out.
        given: the cut that boxes are made at whatever checked boxes say, or None.

    Returns:
        the cut and the number; None where too few photographs are checked, or the extractor chooses for each map.
    """
    if predictor.box_extractor.chooses_threshold:
        return None
    extractor = copy(predictor.box_extractor)
    cuts = np.append(CUTS, free) if given is None else np.array([given])
    found = [overlaps(extractor, each, checked[each.image_id], cuts) for each in results if checked.get(each.image_id)]
    if len(found) < FEWEST:
        return None
    halves = [found[::2], found[1::2]]
    judged = np.concatenate([np.concatenate(half)[:, best(other)] for half, other in (halves, halves[::-1])])
    low, high = wilson(int((judged >= HIT).sum()), len(judged))
    column = best(found)
    return Honest(
        float(cuts[column]), len(found), float((judged >= HIT).mean()), low, high, float(judged.mean()),
        chosen=column < len(cuts) - 1, given=given is not None,
    )  # fmt: skip


def overlaps(extractor: BoxExtractor, result: ImageResult, checked: Sequence[FoundBox], cuts: np.ndarray) -> np.ndarray:
    """Return the IoU (N, cuts) of each checked box of a photograph with the best box of its class at each cut."""
    found = np.zeros((len(checked), len(cuts)))
    for column, cut in enumerate(cuts):
        extractor.threshold = float(cut)
        for index, score_map in result.maps.items():
            boxes = extractor.with_notes(score_map, None)[0].boxes
            height, width = score_map.shape
            whole = scale_boxes(boxes, (width, height), result.size)
            for row, each in enumerate(checked):
                if each.class_index == index and len(whole):
                    found[row, column] = box_iou(np.array([each.box]), whole).max()
    return found


def best(found: Sequence[np.ndarray]) -> int:
    """Return the number of the cut with the highest mean IoU, of equals the one in the middle; or of the last.

    The last is the cut told without boxes, or the only one. Another one has to be surely better, by two standard errors
    over the photographs: the best one of few photographs, which may be the doubtful ones, is often worse on the others.
    """
    if found[0].shape[1] == 1:
        return 0
    means = np.concatenate(found)[:, :-1].mean(0).round(6)
    equal = np.flatnonzero(means == means.max())
    column = int(equal[len(equal) // 2])
    gains = np.array([each[:, column].mean() - each[:, -1].mean() for each in found])
    return column if gains.mean() > SURE * gains.std() / np.sqrt(len(gains)) else found[0].shape[1] - 1


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927).

    >>> low, high = wilson(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    share, square = hits / count, NORMAL**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = NORMAL * np.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return float(middle - half), float(middle + half)
