"""Percentages with their uncertainty, over images and over classes.

Conventions: micro averages over trials, macro over classes; the 95 % interval is that of the micro number, Wilson's
score interval for a binomial proportion where the number is a rate, else a bootstrap over images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from wsolkit.errors import DataError

__all__ = ["BOOTSTRAP", "WILSON", "Score", "bootstrap_interval", "class_means", "rate_of"]

Z95 = 1.959963984540054
WILSON = "Wilson"
BOOTSTRAP = "bootstrap over images"
CHUNK = 50


@dataclass(frozen=True)
class Score:
    """A number in percent with its 95 % interval.

    Attributes:
        percent: the number over all trials (micro).
        n: how many trials it is taken over.
        low: lower end of the interval.
        high: upper end of the interval.
        macro: mean of the classes' numbers; None where there are no classes.
        interval: how the interval was found, ``WILSON`` or ``BOOTSTRAP``.
    """

    percent: float
    n: int
    low: float
    high: float
    macro: float | None = None
    interval: str = WILSON

    def __str__(self) -> str:
        return f"{self.percent:.1f} [{self.low:.1f}, {self.high:.1f}]"


def rate_of(hits: np.ndarray, classes: Sequence[int | None] | np.ndarray | None = None) -> Score:
    """Return the share of true values (n,) as a percentage with its interval.

    Args:
        hits: (n,) bool.
        classes: (n,) class of each trial, for the macro average; None, or a None among them, for none.

    Raises:
        DataError: there is nothing to count.

    >>> str(rate_of(np.array([True, True, False, False])))
    '50.0 [15.0, 85.0]'
    >>> rate_of(np.array([True, True, True, False]), [0, 0, 0, 1]).macro
    50.0
    """
    n = len(hits)
    if n == 0:
        raise DataError("There are no trials to take a rate of: the split has no image with a box. Check its boxes.")
    p = float(np.mean(hits))
    spread = 1 + Z95**2 / n
    centre = (p + Z95**2 / (2 * n)) / spread
    half = Z95 * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2)) / spread
    macro = None
    if classes is not None and all(each is not None for each in classes):
        macro = float(np.mean(list(class_means(100.0 * np.asarray(hits), np.asarray(classes)).values())))
    return Score(100 * p, n, 100 * max(centre - half, 0.0), 100 * min(centre + half, 1.0), macro)


def class_means(values: np.ndarray, classes: np.ndarray) -> dict[int, float]:
    """Return the mean of the values (n,) of each class, by class in rising order.

    >>> class_means(np.array([100.0, 0.0, 100.0]), np.array([3, 3, 1]))
    {1: 100.0, 3: 50.0}
    """
    present, places = np.unique(classes, return_inverse=True)
    means = np.bincount(places, weights=values) / np.bincount(places)
    return dict(zip(present.tolist(), means.tolist(), strict=True))


def bootstrap_interval(
    statistic: Callable[[np.ndarray], np.ndarray], n: int, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the 2.5 and 97.5 percentiles of a statistic over resampled images.

    Args:
        statistic: takes (d, n) counts, how often each of the n images was drawn in each of d draws, and returns (d,).
        n: number of images.
        draws: number of draws.
        seed: seed of the draws; the same data gives the same interval.

    >>> values = np.array([0.0, 100.0] * 50)
    >>> low, high = bootstrap_interval(lambda counts: counts @ values / counts.sum(1), len(values))
    >>> 35 < low < 45 < 55 < high < 65
    True
    """
    rng = np.random.default_rng(seed)
    found = [
        statistic(rng.multinomial(n, np.full(n, 1 / n), size=min(CHUNK, draws - start)))
        for start in range(0, draws, CHUNK)
    ]
    low, high = np.nanpercentile(np.concatenate(found), [2.5, 97.5])
    return float(low), float(high)
