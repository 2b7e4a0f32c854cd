"""Which trials the seeds of a method hit, as arrays of images that several methods share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from wsolkit.evaluation.failures import HIT, Trial
from wsolkit.evaluation.over_seeds import SeedDifference, difference_over_seeds
from wsolkit.evaluation.paired import Paired
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.trials import Key, by_key

__all__ = ["HITS", "Hits", "common_seeds", "compared", "drawn_hits", "hits_of", "paired_seeds"]


def is_hit(trial: Trial) -> bool:
    """Whether a trial's box hits."""
    return trial.outcome == HIT


def is_right_hit(trial: Trial) -> bool | None:
    """Whether a trial's box hits and its class is the predicted one; None where nothing was predicted."""
    return None if trial.right_class is None else trial.right_class and is_hit(trial)


def is_right(trial: Trial) -> bool | None:
    """Whether a trial's class is the predicted one; None where nothing was predicted."""
    return trial.right_class


HITS: dict[tuple[str, str], Callable[[Trial], bool | None]] = {
    ("localization", "GT-known"): is_hit,
    ("MaxBoxAcc", "MaxBoxAcc@50"): is_hit,
    ("localization", "top-1 loc"): is_right_hit,
    ("accuracy", "top-1 accuracy"): is_right,
}
"""The numbers that trials may say image by image, by metric and name."""


@dataclass(frozen=True)
class Hits:
    """What the seeds of a method hit.

    Attributes:
        keys: (n,) image and class of each trial, in rising order.
        hits: (S, n) bool.
    """

    keys: tuple[Key, ...]
    hits: np.ndarray

    def at(self, keys: Sequence[Key]) -> Hits:
        """Return the hits of some of the trials."""
        places = {key: place for place, key in enumerate(self.keys)}
        return Hits(tuple(keys), self.hits[:, [places[key] for key in keys]])

    def of_seeds(self, places: Sequence[int]) -> Hits:
        """Return the hits of some of the seeds."""
        return Hits(self.keys, self.hits[list(places)])

    def by_image(self) -> tuple[np.ndarray, np.ndarray]:
        """Return how many trials of each image each seed hits (S, I), and how many it has (I,).

        >>> hits = Hits((("a", 0), ("a", 1), ("b", 0)), np.array([[True, True, False]]))
        >>> [each.tolist() for each in hits.by_image()]
        [[[2, 0]], [2, 1]]
        """
        places = np.unique([image for image, _ in self.keys], return_inverse=True)[1]
        counts = np.bincount(places)
        return np.stack([np.bincount(places, seed, len(counts)) for seed in self.hits]).astype(np.int64), counts


def hits_of(evaluations: Sequence[Evaluation], judge: Callable[[Trial], bool | None] = is_hit) -> Hits | None:
    """Return the hits of a method's seeds on the trials that all of them have; None where they share none.

    Args:
        evaluations: one for each seed.
        judge: says of a trial whether it is a hit, or None where it cannot.

    Raises:
        DataError: an evaluation has two trials of one image and class.
    """
    tables = [by_key(each) for each in evaluations]
    if not tables:
        return None
    keys = sorted(set(tables[0]).intersection(*tables[1:]))
    judged = [[judge(table[key]) for key in keys] for table in tables]
    if not keys or any(each is None for seed in judged for each in seed):
        return None
    return Hits(tuple(keys), np.array(judged, bool))


def drawn_hits(evaluation: Evaluation, baseline: str) -> Hits | None:
    """Return what a trivial baseline hits; None where the evaluation does not say."""
    hits = evaluation.baseline_hits.get(baseline)
    if not hits:
        return None
    found = sorted(zip(((each.image_id, each.label) for each in evaluation.trials), hits, strict=True))
    return Hits(tuple(key for key, _ in found), np.array([[hit for _, hit in found]], bool))


def common_seeds(first: Sequence[int | None], second: Sequence[int | None]) -> tuple[list[int], list[int]]:
    """Return the places of the seeds that two methods share; of all their seeds where they share none.

    What a seed draws, such as the order of the images, it draws for both. A mean over three seeds against one of them
    would count the luck of that one as the method's.

    >>> common_seeds([0, 1, 2], [0]), common_seeds([0, 1], [2]), common_seeds([0], [None])
    (([0], [0]), ([0, 1], [0]), ([0], [0]))
    """
    shared = [seed for seed in first if seed is not None and seed in second]
    if not shared:
        return list(range(len(first))), list(range(len(second)))
    return [first.index(seed) for seed in shared], [second.index(seed) for seed in shared]


def compared(first: Hits | None, second: Hits | None) -> SeedDifference | None:
    """Return how two methods differ on the trials that both have; None where they share none."""
    if first is None or second is None:
        return None
    keys = sorted(set(first.keys) & set(second.keys))
    if not keys:
        return None
    (one, counts), (other, _) = (each.at(keys).by_image() for each in (first, second))
    return difference_over_seeds(one, other, counts)


def paired_seeds(first: Sequence[Evaluation], second: Sequence[Evaluation]) -> Paired | None:
    """Return how two methods differ on the seeds they share, as ``common_seeds``; None as ``compared``.

    The counts are means over a seed of each.

    Raises:
        DataError: an evaluation has two trials of one image and class.
    """
    places = common_seeds(*([each.training.get("seed") for each in runs] for runs in (first, second)))
    mine, theirs = (
        hits_of([runs[place] for place in each]) for runs, each in zip((first, second), places, strict=True)
    )
    found = compared(mine, theirs)
    if mine is None or theirs is None or found is None:
        return None
    keys = sorted(set(mine.keys) & set(theirs.keys))
    one, two = (each.at(keys).hits.mean(0) for each in (mine, theirs))
    counts = [float((a * b).sum()) for a in (one, 1 - one) for b in (two, 1 - two)]
    both, only_first, only_second, neither = counts
    return Paired(both, only_first, only_second, neither, found.difference, found.low, found.high, found.p)
