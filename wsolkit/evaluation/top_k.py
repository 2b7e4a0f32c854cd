"""Top-k accuracy, of one crop or of several averaged.

Conventions: a hit is a label among the k largest values, ties: the lower class index first. Several crops of an image
are averaged after softmax (ten-crop evaluation); one crop is ranked by its logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, ShapeError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import checked_class
from wsolkit.evaluation.classification import checked_scores, common_classes, label_rank
from wsolkit.evaluation.results import Line, Result
from wsolkit.evaluation.scores import class_means, rate_of

__all__ = ["RankRow", "TopKAccuracy", "average_crops"]


def average_crops(logits: np.ndarray) -> np.ndarray:
    """Return the mean of the softmax of several crops' logits (crops, K), as (K,) float64 that sum to 1.

    Raises:
        ShapeError: logits are not (crops, K), or one of the two is 0.
        DataError: logits hold NaN or infinity.

    >>> average_crops(np.array([[1000.0, 1000.0], [0.0, -1000.0]])).tolist()
    [0.75, 0.25]
    """
    found = checked_scores(logits, dims=(2,), what="logits of crops")
    if found.size == 0:
        raise ShapeError(f"logits should be (crops, K) with at least one of each, but got shape {found.shape}.")
    powers = np.exp(found - found.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).mean(axis=0)


class RankRow(NamedTuple):
    """What is kept of one image: the label's rank (0 best), the label, and how many classes and crops there were."""

    rank: int
    label: int
    classes: int
    crops: int


class TopKAccuracy(Accumulator[RankRow]):
    """Share of images whose label is among the k best classes.

    Lines ``top-1 accuracy``, ``top-5 accuracy`` and so on, with Wilson's interval; a k that takes every class there is
    has no line, as it is always right.

    Args:
        ks: how many of the best classes count, one line each.

    Raises:
        ConfigError: ks are no different whole numbers from 1.

    >>> metric = TopKAccuracy(ks=(1, 2))
    >>> metric.update("a", logits=np.array([0.1, 0.7, 0.2]), label=2)
    >>> result = metric.compute()
    >>> result["top-1 accuracy"].percent, result["top-2 accuracy"].percent
    (0.0, 100.0)
    """

    metric = "TopKAccuracy"

    def __init__(self, ks: Sequence[int] = (1, 5)) -> None:
        super().__init__()
        whole = all(isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 1 for k in ks)
        if not ks or not whole or len(set(ks)) < len(ks):
            raise ConfigError(f"ks should be different whole numbers from 1, such as (1, 5), but got {ks!r}.")
        self.ks = tuple(int(k) for k in ks)

    def measure(self, logits: np.ndarray, label: int) -> RankRow:
        """Return what is kept of one image.

        Args:
            logits: (K,) of one crop, or (crops, K) to be averaged after softmax.
            label: index of the true class.

        Raises:
            ShapeError: logits have another shape.
            DataError: logits hold NaN or infinity, or the label is none of the K classes.
        """
        found = checked_scores(logits, dims=(1, 2), what="logits")
        crops = 1 if found.ndim == 1 else len(found)
        if found.size == 0:
            raise ShapeError(f"logits should be (K,) or (crops, K) with at least one class, but got {found.shape}.")
        values = found.reshape(-1) if crops == 1 else average_crops(found)
        index = checked_class(label, len(values))
        return RankRow(label_rank(values, index), index, len(values), crops)

    def compute(self) -> Result:
        """Return the numbers over all images.

        Raises:
            DataError: there is no image, or images differ in their number of classes.
            ConfigError: every k takes all classes.
        """
        rows = self.ordered()
        classes = common_classes([(name, row.classes) for name, row in rows])
        ks = [k for k in self.ks if k < classes]
        if not ks:
            raise ConfigError(
                f"Every k of {self.ks} takes all {classes} classes and is always right. Give a smaller k."
            )
        ranks = np.array([row.rank for _, row in rows])
        labels = np.array([row.label for _, row in rows])
        crops = sorted({row.crops for _, row in rows})
        averaged = "" if crops == [1] else ", averaged after softmax"
        conventions = {
            "comparator": f"the label is among the k best of {classes} classes, ties: the lower index first",
            "threshold selection": "none",
            "class source": f"{' or '.join(map(str, crops))} crop(s) of an image{averaged}",
            "averaging": "percent: micro over images; macro: mean over the classes of the labels",
            "n": "images",
        }
        dropped = [f"top-{k}" for k in self.ks if k >= classes]
        if dropped:
            conventions["left out"] = f"{', '.join(dropped)}: takes all {classes} classes"
        lines = tuple(Line(f"top-{k} accuracy", rate_of(ranks < k, labels)) for k in ks)
        return Result(self.metric, lines, conventions, each_class=class_means(100.0 * (ranks < ks[0]), labels))
