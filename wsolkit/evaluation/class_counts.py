"""Pixels of mask values, true and said and both, at every background score at once: what IoUs over classes need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from wsolkit.evaluation.pixel_counts import compact, ratio

__all__ = ["ClassCounts", "class_ious", "kept", "label_counts", "mean_ious", "sweep_counts", "winner"]


class ClassCounts(NamedTuple):
    """Pixels of one image or split, of c mask values at T background scores (T = 1 for label maps).

    Attributes:
        values: (c,) mask values, rising: 0 background, k + 1 class k.
        true: (c,) pixels that are of the value.
        predicted: (c, T) pixels that are said to be.
        shared: (c, T) pixels that are both.
        swept: whether the columns are background scores; otherwise they are one label map.
    """

    values: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    shared: np.ndarray
    swept: bool


def winner(score_maps: Mapping[int, np.ndarray], shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask value of each pixel's highest map, and its score.

    Args:
        score_maps: (H, W) map by class index.
        shape: (H, W), for an image without maps: all background of score 0.

    Returns:
        (H, W) uint16 and (H, W).

    >>> values, scores = winner({1: np.array([[0.2, 0.5]]), 0: np.array([[0.1, 0.5]])}, (1, 2))
    >>> values.tolist(), scores.tolist()
    ([[2, 1]], [[0.2, 0.5]])
    """
    if not score_maps:
        return np.zeros(shape, np.uint16), np.zeros(shape)
    classes = sorted(score_maps)
    maps = np.stack([score_maps[k] for k in classes])
    return (np.array(classes) + 1).astype(np.uint16)[maps.argmax(0)], maps.max(0)


def sweep_counts(values: np.ndarray, scores: np.ndarray, truth: np.ndarray, thresholds: np.ndarray) -> ClassCounts:
    """Return the counts at each background score, all in one pass over the pixels.

    Args:
        values: (n,) mask value of the highest map.
        scores: (n,) its score.
        truth: (n,) true mask value.
        thresholds: (T,) background scores, rising.

    >>> counts = sweep_counts(np.array([1, 1]), np.array([0.2, 0.6]), np.array([0, 1]), np.array([0.1, 0.2, 0.7]))
    >>> counts.predicted.tolist(), counts.shared.tolist()
    ([[0, 1, 2], [2, 1, 0]], [[0, 1, 1], [1, 1, 0]])
    """
    known = np.union1d(np.union1d(values, truth), [0]).astype(np.int64)
    place = np.zeros(int(known[-1]) + 1, dtype=np.intp)
    place[known] = np.arange(len(known))
    said, true = place[values], place[truth]
    bounds = thresholds.astype(scores.dtype) if scores.dtype.kind == "f" else thresholds
    beaten = np.searchsorted(bounds, scores)  # how many background scores are lower than the pixel's
    columns = len(thresholds) + 1

    def by_score(chosen: np.ndarray) -> np.ndarray:
        counts = np.bincount(said[chosen] * columns + beaten[chosen], minlength=len(known) * columns)
        return counts.reshape(len(known), columns)[:, ::-1].cumsum(1)[:, ::-1][:, 1:]

    predicted, shared = by_score(np.ones(len(said), bool)), by_score(said == true)
    predicted[0] = len(said) - predicted[1:].sum(0)
    shared[0] = np.bincount(beaten[true == 0], minlength=columns).cumsum()[:-1]
    return ClassCounts(known, np.bincount(true, minlength=len(known)), predicted, shared, swept=True)


def label_counts(values: np.ndarray, truth: np.ndarray) -> ClassCounts:
    """Return the counts of a label map: mask values (n,) said and true.

    >>> label_counts(np.array([0, 2, 2]), np.array([0, 0, 2])).shared[:3, 0].tolist()
    [1, 0, 1]
    """
    count = 1 + max((int(each.max()) for each in (truth, values) if each.size), default=0)
    known = np.arange(count)
    true, predicted, shared = (np.bincount(each, minlength=count) for each in (truth, values, truth[truth == values]))
    return ClassCounts(known, true, predicted[:, None], shared[:, None], swept=False)


def class_ious(counts: ClassCounts) -> np.ndarray:
    """Return the IoU (c, T) in percent of each class, NaN where it is neither true nor predicted."""
    return 100 * ratio(counts.shared, counts.predicted + counts.true[:, None] - counts.shared)


def mean_ious(counts: ClassCounts) -> np.ndarray:
    """Return the mean IoU (T,) in percent over the classes that occur."""
    return np.nanmean(class_ious(counts), axis=0)


def kept(counts: ClassCounts) -> ClassCounts:
    """Return the counts of the values that occur, in small types."""
    occurs = (counts.true > 0) | (counts.predicted > 0).any(1)
    return ClassCounts(
        compact(counts.values[occurs]),
        compact(counts.true[occurs]),
        compact(counts.predicted[occurs]),
        compact(counts.shared[occurs]),
        counts.swept,
    )
