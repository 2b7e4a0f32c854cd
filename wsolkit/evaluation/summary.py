"""From the images' results to the numbers of a table, with the threshold chosen on another split than it is used on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsolkit.evaluation.classification import mean_average_precision
from wsolkit.evaluation.scores import Score, rate_of
from wsolkit.evaluation.thresholds import choose_threshold
from wsolkit.evaluation.trials import ImageResult

__all__ = ["Localization", "classification", "localization", "stacked_ious"]


def stacked_ious(results: Sequence[ImageResult]) -> np.ndarray:
    """Return the overlaps of all trials, (trials, thresholds); (0, 0) without any."""
    rows = [row for result in results for row in result.ious]
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def classification(results: Sequence[ImageResult]) -> dict[str, Score | float]:
    """Return top-1 and top-5 accuracy, or the mean average precision of multi-label data; nothing without logits."""
    ranks = np.array([result.rank for result in results if result.rank is not None])
    if len(ranks):
        return {"top1": rate_of(ranks < 1), "top5": rate_of(ranks < 5)}
    scores = [result.scores for result in results if result.scores is not None]
    labels = [result.labels for result in results if result.labels is not None]
    if scores:
        return {"mAP": mean_average_precision(np.stack(scores), np.stack(labels))[0]}
    return {}


@dataclass(frozen=True)
class Localization:
    """Localization rates of one split at one threshold.

    Attributes:
        gt_known: hits of the box from the true class's map.
        top1: hits whose label is also the best logit; None without logits.
        top5: hits whose label is also among the five best; None without logits.
        oracle: hits at the threshold that is best on this very split, for comparison only.
        threshold: the threshold used, a fraction of the map's maximum.
        oracle_threshold: the one the oracle picked.
    """

    gt_known: Score
    top1: Score | None
    top5: Score | None
    oracle: Score
    threshold: float
    oracle_threshold: float

    @property
    def gap(self) -> float:
        """How many points choosing the threshold on the test boxes themselves would have added."""
        return self.oracle.percent - self.gt_known.percent


def localization(
    results: Sequence[ImageResult], thresholds: Sequence[float], chosen: int | None = None, iou: float = 0.5
) -> Localization:
    """Return the rates of a split at threshold number ``chosen``, which another split has chosen.

    Args:
        results: the split's images.
        thresholds: the thresholds the images were judged at.
        chosen: index of the threshold to use; None takes the split's own best, as validation does.
        iou: overlap that makes a hit.

    Raises:
        DataError: the split has no image with a box.
    """
    ious = stacked_ious(results)
    if not len(ious):
        rate_of(np.zeros(0))
    best = choose_threshold(ious, iou)
    used = best if chosen is None else chosen
    hits = ious[:, used] >= iou
    ranks = [result.rank for result in results for _ in result.ious]
    top1 = top5 = None
    if all(rank is not None for rank in ranks):
        places = np.array(ranks, dtype=int)
        top1, top5 = rate_of(hits & (places < 1)), rate_of(hits & (places < 5))
    oracle = rate_of(ious[:, best] >= iou)
    return Localization(rate_of(hits), top1, top5, oracle, float(thresholds[used]), float(thresholds[best]))
