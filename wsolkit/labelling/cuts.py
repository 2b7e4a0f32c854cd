"""Where the maps are cut: chosen without boxes, or by the boxes of photographs that a person has checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import takewhile
from types import MappingProxyType

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

__all__ = ["CHECKED", "FEWEST", "Honest", "cut_of_checked", "label_free_cut", "results_with_maps"]

CHECKED = "chosen on the checked photographs"

LOOKED_AT = 500
"""Photographs whose maps tell where to cut."""

CUTS = np.round(np.arange(0.05, 0.96, 0.02), 2)
FEWEST = 10
"""Checked photographs that a cut is chosen on at least."""
SURE = 2.0
"""Standard errors by which another cut has to be better."""

HIT = 0.5
KEPT = 0.95
"""Overlap (IoU) with the map's box from which a checked box is the same."""
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

    A rejected box is a miss: without those, accepted boxes of the tool's own would always be found.

    Attributes:
        cut: the cut chosen on all of them, or the one that was given.
        overlaps: the IoU of each checked box with the box that fits best, by photograph.
        chosen: whether they have chosen the cut; else it is the one told without boxes, or given.
        given: whether the cut was given: all are judged at it, and not each half at the cut of the other.
        kept: how many of the checked boxes are as they are found at the cut told without boxes, or given.
        rejected: how many boxes were rejected, by photograph.
    """

    cut: float
    overlaps: Mapping[str, np.ndarray]
    chosen: bool
    given: bool = False
    kept: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)

    @property
    def images(self) -> int:
        """How many photographs have checked boxes."""
        return len(self.overlaps)

    @property
    def checked(self) -> int:
        """How many checked boxes there are."""
        return sum(map(len, self.overlaps.values()))

    @property
    def hits(self) -> float:
        """Share of the boxes that a box fits with an IoU of .5 or more, those that were rejected among the misses."""
        right, count = self.tally()
        return right / count

    @property
    def mean_iou(self) -> float:
        """Mean IoU of the checked boxes with the box that fits best; NaN where all were rejected."""
        return float(np.concatenate(list(self.overlaps.values())).mean()) if self.checked else float("nan")

    def tally(self, names: Iterable[str] | None = None) -> tuple[int, int]:
        """Return how many boxes are right, of how many; of some photographs alone where they are named."""
        asked = set([*self.overlaps, *self.rejected] if names is None else names)
        fits = [each >= HIT for name, each in self.overlaps.items() if name in asked]
        wrong = sum(count for name, count in self.rejected.items() if name in asked)
        return sum(int(each.sum()) for each in fits), sum(map(len, fits)) + wrong

    @property
    def line(self) -> str:
        """The number in words, and what it is of.

        >>> Honest(0.6, {"a": np.array([1.0]), "b": np.array([0.9])}, False, rejected={"c": 1}).line[:57]
        '2 of 3 boxes that were looked at are right: 66.7 % [20.8,'
        """
        where = f"cut at {self.cut:g}" if self.given else "each half cut as the other half says"
        wrong = sum(self.rejected.values())
        words = [f"{wrong} rejected"] if wrong else []
        if self.checked:
            words.append(f"IoU of .5 or more with the checked box; mean IoU of {self.checked} {self.mean_iou:.2f}")
        return (
            f"{in_words(*self.tally(), 'that were looked at')} ({'; '.join([*words, where])}). It holds for what was "
            "looked at: if those were the most doubtful photographs, the others are better."
        )

    def random_line(self, sample: Sequence[str], empty: Collection[str] = ()) -> str:
        """The number on photographs that were drawn at random, in words; nothing before enough are looked at.

        Args:
            sample: names in the order they were drawn in: as far as all are looked at, they are a sample too.
            empty: photographs that ought to have a box and have none: each is a miss.
        """
        known = {*self.overlaps, *self.rejected, *empty}
        first = [*takewhile(known.__contains__, sample)]
        if len(first) < FEWEST:
            return (
                f"For a number that holds for all photographs look at those in sample.txt, drawn at random, from the "
                f"first on: {FEWEST} at least, {len(sample)} are better."
            )
        right, count = self.tally(first)
        missing = len(set(first) & set(empty))
        return f"All photographs: {in_words(right, count + missing, f'on the first {len(first)} of sample.txt')}."


def in_words(right: int, count: int, which: str) -> str:
    """Return how many of some boxes are right, with the interval."""
    low, high = wilson(right, count)
    return (
        f"{right} of {count} boxes {which} are right: {100 * right / count:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    )


def cut_of_checked(
    predictor: Predictor,
    results: Iterable[ImageResult],
    checked: Mapping[str, Sequence[FoundBox]],
    free: float,
    given: float | None = None,
    rejected: Mapping[str, int] = MappingProxyType({}),
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
        rejected: how many boxes were rejected, by photograph: misses, which say nothing of the cut.

    Returns:
        the cut and the number; None where too few photographs are looked at, or the extractor chooses for each map.
        Where only too few are checked and the others rejected, the cut stays and the number is said of it.
    """
    if predictor.box_extractor.chooses_threshold:
        return None
    extractor = copy(predictor.box_extractor)
    few = sum(map(bool, checked.values())) < FEWEST
    if few and sum(map(bool, checked.values())) + len(rejected) < FEWEST:
        return None
    cuts = np.array([free if given is None else given]) if few or given is not None else np.append(CUTS, free)
    rows = {
        each.image_id: overlaps(extractor, each, checked[each.image_id], cuts)
        for each in results
        if checked.get(each.image_id)
    }
    found = list(rows.values())
    halves = [found[::2], found[1::2]]
    columns = [best(half) if half else 0 for half in halves[::-1]]
    column = best(found) if found else 0
    return Honest(
        float(cuts[column]), {name: each[:, columns[number % 2]] for number, (name, each) in enumerate(rows.items())},
        chosen=column < len(cuts) - 1, given=few or given is not None,
        kept=sum(int((each[:, -1] >= KEPT).sum()) for each in found), rejected=dict(rejected),
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
