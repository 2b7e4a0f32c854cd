"""Classification accuracy and average precision.

Conventions: top-k counts a hit where the label is among the k largest logits (ties: the lower class index first).
Average precision is the area under the interpolated precision-recall curve at every recall (VOC since 2010); labels
are 1 present, 0 absent, -1 left out; equal scores share one operating point.
"""

from __future__ import annotations

import numpy as np

from wsolkit.errors import ShapeError

__all__ = ["average_precision", "label_rank", "mean_average_precision"]


def label_rank(logits: np.ndarray, label: int) -> int:
    """Return the place of the label among the logits (K,), 0 for the largest.

    >>> label_rank(np.array([0.1, 0.7, 0.2]), 2)
    1
    """
    order = np.argsort(-np.asarray(logits), kind="stable")
    return int(np.flatnonzero(order == label)[0])


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the average precision in percent of scores (n,) for labels (n,) in {1, 0, -1}, NaN without positives.

    Raises:
        ShapeError: scores and labels differ in length.

    >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1])).__round__(2)
    83.33
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.shape != labels.shape or scores.ndim != 1:
        raise ShapeError(f"scores and labels should be (n,), but got {scores.shape} and {labels.shape}.")
    counted = labels >= 0
    scores, positive = scores[counted], labels[counted] == 1
    if not positive.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(positive[order])
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    precision = (found / np.arange(1, len(found) + 1))[last_of_tie]
    recall = (found / found[-1])[last_of_tie]
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(100 * np.sum(np.diff(recall, prepend=0.0) * envelope))


def mean_average_precision(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of the average precisions of scores (n, K), in percent, and those of each class (K,).

    Classes without a positive are NaN and left out of the mean.
    """
    each = np.array([average_precision(scores[:, k], labels[:, k]) for k in range(scores.shape[1])])
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan"), each
