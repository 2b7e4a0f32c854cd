"""Whether two runs differ on the same trials.

Conventions: two runs that were scored on the same images are compared trial by trial, which sees smaller differences
than two intervals beside each other. The test is McNemar's in its exact form (Q. McNemar, Note on the sampling error of
the difference between correlated proportions or percentages, Psychometrika 12, 1947): of the trials that only one run
hits, each is as likely to be the one's as the other's where the runs are equally good, so the count is binomial with
one half. It takes trials as independent; where images have several, the interval, which resamples images, is the more
careful one. Several tests are corrected by S. Holm, A simple sequentially rejective multiple test procedure,
Scandinavian Journal of Statistics 6, 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from wsolkit.errors import DataError, ShapeError

__all__ = ["Paired", "compare_hits", "holm", "mcnemar"]

DRAWS = 10_000


@dataclass(frozen=True)
class Paired:
    """Two runs on the same trials.

    Attributes:
        both: trials that both hit; where a run stands for several seeds, the mean over them.
        only_first: trials that only the first hits.
        only_second: trials that only the second hits.
        neither: trials that none hits.
        difference: rate of the second minus rate of the first, in points (percent).
        low: lower end of the 95 % interval of the difference, by a paired bootstrap over images.
        high: upper end.
        p: two-sided p value, not corrected: McNemar's exact test, or the sign-flip test over images of several seeds.
    """

    both: float
    only_first: float
    only_second: float
    neither: float
    difference: float
    low: float
    high: float
    p: float

    @property
    def n(self) -> int:
        """How many trials there are."""
        return round(self.both + self.only_first + self.only_second + self.neither)

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data for a JSON file."""
        return {"n": self.n, **asdict(self)}


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p value of McNemar's exact test; 1 where no trial tells the runs apart.

    Args:
        only_first: trials that only the first run hits.
        only_second: trials that only the second hits.

    Raises:
        DataError: a count is negative.

    >>> mcnemar(0, 5)
    0.0625
    >>> mcnemar(3, 3)
    1.0
    """
    if min(only_first, only_second) < 0:
        raise DataError(f"Counts of trials are not negative, but got {only_first} and {only_second}. Count them again.")
    n = only_first + only_second
    ways = total = 1  # whole numbers of any length: no rounding before the last line
    for k in range(min(only_first, only_second)):
        ways = ways * (n - k) // (k + 1)
        total += ways
    return min(1.0, 2 * total / 2**n)


def compare_hits(
    first: np.ndarray, second: np.ndarray, images: Sequence[str] | None = None, draws: int = DRAWS, seed: int = 0
) -> Paired:
    """Return how two runs differ on the same trials.

    Args:
        first: (n,) bool, the hits of the first run.
        second: (n,) bool, those of the second, of the same trials in the same order.
        images: (n,) name of each trial's image, where an image may have several trials; None for one trial each.
        draws: resamples of the bootstrap.
        seed: seed of the bootstrap; the same data gives the same interval.

    Raises:
        ShapeError: the lengths differ.
        DataError: there is no trial.

    >>> found = compare_hits(np.array([1, 1, 0, 0], bool), np.array([1, 1, 1, 0], bool))
    >>> found.only_second, found.difference, found.p
    (1, 25.0, 1.0)
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    n = len(first) if first.ndim == 1 else -1
    if first.shape != second.shape or n < 0 or (images is not None and len(images) != n):
        names = "" if images is None else f" and {len(images)} images"
        raise ShapeError(
            f"Two runs are compared on the same trials (n,), but got {first.shape} and {second.shape}{names}."
        )
    if not n:
        raise DataError("There is no trial that both runs have, so nothing to compare. Score both on the same images.")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    gains = second.astype(np.int64) - first
    places = np.arange(n) if images is None else np.unique(np.asarray(images), return_inverse=True)[1]
    low, high = difference_interval(
        np.bincount(places, weights=gains).astype(np.int64), np.bincount(places), draws=draws, seed=seed
    )
    return Paired(
        both=int((first & second).sum()),
        only_first=only_first,
        only_second=only_second,
        neither=int((~first & ~second).sum()),
        difference=100 * (only_second - only_first) / n,
        low=low,
        high=high,
        p=mcnemar(only_first, only_second),
    )


def difference_interval(gains: np.ndarray, trials: np.ndarray, draws: int, seed: int) -> tuple[float, float]:
    """Return the 2.5 and 97.5 percentiles of the difference in points over resampled images.

    Images of equal gain and equally many trials are interchangeable, so it is enough to draw how many of each kind
    there are; the numbers have the same distribution as those of drawn images.

    Args:
        gains: (images,) hits of the second run minus hits of the first.
        trials: (images,) how many trials each image has.
        draws: number of resamples.
        seed: seed of the draws.

    >>> difference_interval(np.array([1, 1]), np.array([1, 1]), draws=10, seed=0)
    (100.0, 100.0)
    """
    kinds, counts = np.unique(np.stack([gains, trials], axis=1), axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(counts.sum(), counts / counts.sum(), size=draws)
    differences = 100 * (drawn @ kinds[:, 0]) / (drawn @ kinds[:, 1])
    low, high = np.percentile(differences, [2.5, 97.5])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for how many there are (Holm 1979), in the same order.

    >>> holm([0.04, 0.01])
    [0.04, 0.02]
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected
