"""Average precision of ranked answers, ranks of labels, and classification mAP.

Conventions: a rank counts from 0 for the largest logit (ties: the lower class index first). Labels are 1 present, 0
absent, -1 left out. Answers with equal scores share one operating point, so their order does not matter. Precision at a
recall is the best precision at that recall or beyond; ``all-point`` takes the area under it (VOC since 2010),
``11-point`` its mean at the recalls 0, .1 ... 1 (VOC 2007), ``101-point`` at 0, .01 ... 1 (COCO). The mean over classes
leaves out classes without a positive, in each draw of the bootstrap too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, DataError, ShapeError, nearest
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.results import Line, Result
from wsolkit.evaluation.scores import BOOTSTRAP, Score, bootstrap_interval

__all__ = [
    "INTERPOLATIONS",
    "ClassificationMAP",
    "LabelRow",
    "Ranking",
    "average_precision",
    "label_rank",
    "mean_average_precision",
    "mean_over_classes",
    "pooled_classes",
    "ranked_precision",
    "ranking_of",
]

DRAWS = 300
INTERPOLATIONS: Mapping[str, int | None] = {"all-point": None, "11-point": 10, "101-point": 100}
"""Ways to take the area: into how many steps recall is cut, None for every recall there is."""


def label_rank(logits: np.ndarray, label: int) -> int:
    """Return the place of the label among the logits (K,), 0 for the largest.

    Raises:
        DataError: the label is no class.

    >>> label_rank(np.array([0.1, 0.7, 0.2]), 2)
    1
    """
    if not 0 <= label < len(logits):
        raise DataError(f"The label is class {label}, but there are logits of {len(logits)} classes. Check the labels.")
    order = np.argsort(-np.asarray(logits), kind="stable")
    return int(np.flatnonzero(order == label)[0])


def checked_interpolation(interpolation: str) -> str:
    """Return the name of a way to take the area; a ConfigError if there is no such way."""
    if interpolation not in INTERPOLATIONS:
        raise ConfigError(f"There is no interpolation {interpolation!r}. {nearest(interpolation, INTERPOLATIONS)}")
    return interpolation


def checked_scores(scores: np.ndarray, dims: Collection[int] = (1,), what: str = "scores") -> np.ndarray:
    """Return scores as float64; a ShapeError for other than ``dims`` axes, a DataError for NaN and infinity.

    >>> checked_scores([1, 2]).tolist()
    [1.0, 2.0]
    """
    try:
        found = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{what} should be an array of numbers, but got {str(scores)[:60]} ({error}).") from error
    if found.ndim not in dims:
        raise ShapeError(f"{what} should have {' or '.join(map(str, dims))} axes, but got shape {found.shape}.")
    bad = np.argwhere(~np.isfinite(found)).tolist()
    if bad:
        raise DataError(
            f"{what} hold NaN or infinity ({len(bad)} of {found.size}, the first at {bad[0]}): the model has diverged. "
            "Take an earlier checkpoint."
        )
    return found


def checked_labels(labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return labels in {1, 0, -1} as int8; a ShapeError if their shape is not that of the scores."""
    found = np.asarray(labels)
    if found.shape != shape:
        wanted = "(n,)" if len(shape) == 1 else "(n, K)"
        raise ShapeError(f"scores and labels should be {wanted}, but got {shape} and {found.shape}.")
    strange = ~np.isin(found, (1, 0, -1))
    if strange.any():
        given = found[strange][0]
        raise DataError(f"labels should be 1, 0 or -1 (left out) for each class, but got {given}. Check the labels.")
    return found.astype(np.int8)


class Ranking(NamedTuple):
    """Answers of one class over all images, best score first.

    Attributes:
        scores: (n,) falling.
        right: (n,) bool, whether each answer is right.
        images: (n,) index of the image each belongs to.
        positives: (images,) how many there are to find in each image.
    """

    scores: np.ndarray
    right: np.ndarray
    images: np.ndarray
    positives: np.ndarray


def ranking_of(scores: np.ndarray, right: np.ndarray, images: np.ndarray, positives: np.ndarray) -> Ranking:
    """Return the answers (n,) best first; ``positives`` (images,) is how many there are to find in each image."""
    order = np.argsort(-scores, kind="stable")
    return Ranking(scores[order], right[order], images[order], positives)


def ranked_precision(ranking: Ranking, drawn: np.ndarray | None = None, interpolation: str = "all-point") -> float:
    """Return the average precision in percent, NaN without anything to find.

    Args:
        ranking: the answers, best first.
        drawn: (images,) how often each image counts; None for once.
        interpolation: one of ``INTERPOLATIONS``.

    >>> answers = ranking_of(np.array([0.9, 0.8]), np.array([False, True]), np.array([0, 1]), np.array([0, 1]))
    >>> ranked_precision(answers)
    50.0
    """
    scores, right, images, positives = ranking
    drawn = np.ones(len(positives), dtype=np.int64) if drawn is None else drawn
    total = int(drawn @ positives)
    if total == 0:
        return float("nan")
    if len(scores) == 0:
        return 0.0
    ends = np.append(scores[1:] != scores[:-1], True)  # the last answer of each score
    weights = drawn[images]
    taken = np.cumsum(weights)[ends]
    found = np.cumsum(weights * right)[ends]
    envelope = np.maximum.accumulate((found / np.maximum(taken, 1))[::-1])[::-1]
    steps = INTERPOLATIONS[checked_interpolation(interpolation)]
    if steps is None:
        return float(100 * np.sum(np.diff(found, prepend=0) / total * envelope))
    places = np.searchsorted(found * steps, np.arange(steps + 1) * total)  # whole numbers: no recall is missed by a bit
    return float(100 * np.append(envelope, 0.0)[places].mean())


def average_precision(scores: np.ndarray, labels: np.ndarray, interpolation: str = "all-point") -> float:
    """Return the average precision in percent of scores (n,) for labels (n,) in {1, 0, -1}, NaN without positives.

    Raises:
        ShapeError: scores and labels differ in length.
        DataError: scores hold NaN or infinity, or labels another value.

    >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1])).__round__(2)
    83.33
    """
    checked_interpolation(interpolation)
    scores = checked_scores(scores)
    labels = checked_labels(labels, scores.shape)
    counted = labels >= 0
    positive = labels[counted] == 1
    ranking = ranking_of(scores[counted], positive, np.arange(len(positive)), positive.astype(np.int64))
    return ranked_precision(ranking, interpolation=interpolation)


def mean_average_precision(
    scores: np.ndarray, labels: np.ndarray, interpolation: str = "all-point"
) -> tuple[float, np.ndarray]:
    """Return the mean of the average precisions of scores (n, K), in percent, and those of each class (K,).

    Classes without a positive are NaN and left out of the mean.

    Raises:
        ShapeError: scores and labels are not (n, K).
        DataError: scores hold NaN or infinity, or labels another value than 1, 0 and -1.
    """
    scores = checked_scores(scores, dims=(2,))
    labels = checked_labels(labels, scores.shape)
    each = np.array([average_precision(scores[:, k], labels[:, k], interpolation) for k in range(scores.shape[1])])
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan"), each


def mean_over_classes(
    rankings: Mapping[int, Ranking], images: int, interpolation: str = "all-point", draws: int = DRAWS
) -> tuple[Score, dict[int, float]]:
    """Return the mean of the classes' average precisions, and each of them in percent by class index.

    The interval is NaN for 0 draws. A DataError if no class has anything to find.
    """
    each = {k: ranked_precision(ranking, None, interpolation) for k, ranking in sorted(rankings.items())}
    each = {k: value for k, value in each.items() if np.isfinite(value)}
    if not each:
        raise DataError("No class has anything to find, so there is no average precision. Check the split's labels.")

    def draw(drawn: np.ndarray) -> float:
        values = np.array([ranked_precision(rankings[k], drawn, interpolation) for k in each])
        counted = np.isfinite(values)
        return float(values[counted].mean()) if counted.any() else float("nan")

    mean = float(np.mean(list(each.values())))
    low, high = interval_of(draw, images, draws)
    return Score(mean, images, low, high, macro=mean, interval=BOOTSTRAP), each


def pooled_classes(rankings: Mapping[int, Ranking], images: int, interpolation: str, draws: int = DRAWS) -> Score:
    """Return the average precision of one ranking of all classes' answers (micro); see ``mean_over_classes``."""
    *answers, positives = zip(*(rankings[k] for k in sorted(rankings)), strict=True)
    scores, right, places = (np.concatenate(column) for column in answers)
    pooled = ranking_of(scores, right, places, np.sum(positives, axis=0))
    low, high = interval_of(lambda drawn: ranked_precision(pooled, drawn, interpolation), images, draws)
    return Score(ranked_precision(pooled, None, interpolation), images, low, high, interval=BOOTSTRAP)


def interval_of(statistic: Callable[[np.ndarray], float], images: int, draws: int) -> tuple[float, float]:
    """Return the bootstrap interval of a statistic that takes one draw (images,); NaN for no draws."""
    if draws <= 0:
        return float("nan"), float("nan")
    return bootstrap_interval(lambda counts: np.array([statistic(drawn) for drawn in counts]), images, draws)


def common_classes(counts: Sequence[tuple[str, int]]) -> int:
    """Return how many classes the images have, of (name, number) each; a DataError if they differ."""
    first, classes = counts[0]
    for name, number in counts:
        if number != classes:
            raise DataError(
                f"Image {name!r} has scores of {number} classes, but {first!r} of {classes}. Use one model."
            )
    return classes


class LabelRow(NamedTuple):
    """What is kept of one image: scores (K,) float64 and labels (K,) int8 in {1, 0, -1}."""

    scores: np.ndarray
    labels: np.ndarray


class ClassificationMAP(Accumulator[LabelRow]):
    """Mean average precision of multi-label classification.

    Lines: ``mAP``, whose ``percent`` and ``macro`` are both the mean over the classes that some image shows, and
    ``micro AP``, one ranking of all (image, class) pairs.

    Args:
        interpolation: ``all-point`` (VOC since 2010) or ``11-point`` (VOC 2007).
        draws: draws of the bootstrap.

    >>> metric = ClassificationMAP()
    >>> metric.update("a", scores=np.array([0.9, 0.2]), labels=np.array([1, 0]))
    >>> metric.update("b", scores=np.array([0.1, 0.7]), labels=np.array([0, 1]))
    >>> metric.compute()["mAP"].percent
    100.0
    """

    metric = "ClassificationMAP"

    def __init__(self, interpolation: str = "all-point", draws: int = DRAWS) -> None:
        super().__init__()
        self.interpolation = checked_interpolation(interpolation)
        self.draws = draws

    def measure(self, scores: np.ndarray, labels: np.ndarray) -> LabelRow:
        """Return what is kept of one image.

        Args:
            scores: (K,) of the classes, larger for surer.
            labels: (K,) 1 present, 0 absent, -1 left out (VOC: only difficult objects).

        Raises:
            ShapeError: they are not (K,) both.
            DataError: scores hold NaN or infinity, or labels another value.
        """
        found = checked_scores(scores)
        return LabelRow(found, checked_labels(labels, found.shape))

    def compute(self) -> Result:
        """Return the numbers over all images.

        Raises:
            DataError: there is no image, images differ in their number of classes, or no image shows a class.
        """
        rows = self.ordered()
        classes = common_classes([(name, len(row.scores)) for name, row in rows])
        scores, labels = np.stack([row.scores for _, row in rows]), np.stack([row.labels for _, row in rows])
        rankings = {}
        for k in range(classes):
            counted = np.flatnonzero(labels[:, k] >= 0)
            right = labels[counted, k] == 1
            rankings[k] = ranking_of(scores[counted, k], right, counted, (labels[:, k] == 1).astype(np.int64))
        mean, each = mean_over_classes(rankings, len(rows), self.interpolation, self.draws)
        micro = pooled_classes(rankings, len(rows), self.interpolation, self.draws)
        conventions = {
            "average precision": f"{self.interpolation}, equal scores share one point",
            "threshold selection": "none",
            "class source": "scores of every class; label -1 is left out of its class",
            "averaging": "mAP: mean over classes with a positive (macro); micro AP: one ranking of all pairs",
            "n": "images",
        }
        lines = (Line("mAP", mean), Line("micro AP", micro))
        each_n = {k: int((labels[:, k] == 1).sum()) for k in each}
        return Result(self.metric, lines, conventions, each_class=each, each_n=each_n)
