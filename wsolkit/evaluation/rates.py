"""Rates with their uncertainty, thresholds chosen honestly.

Conventions: a rate is a percentage of n trials; its 95 % interval is Wilson's score interval for a binomial proportion.
A hit is an IoU of at least the wanted one (>=). A threshold is chosen where the rate over a whole split is highest; of
several such thresholds the middle one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from wsolkit.errors import DataError

__all__ = ["Rate", "choose_threshold", "hit_rates", "rate_of"]

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """A percentage of ``n`` trials with its 95 % interval (Wilson)."""

    percent: float
    n: int
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.percent:.1f} [{self.low:.1f}, {self.high:.1f}]"


def rate_of(hits: np.ndarray) -> Rate:
    """Return the share of true values (n,) as a percentage with its interval.

    Raises:
        DataError: there is nothing to count.

    >>> str(rate_of(np.array([True, True, False, False])))
    '50.0 [15.0, 85.0]'
    """
    n = len(hits)
    if n == 0:
        raise DataError("There are no trials to take a rate of: the split has no image with a box. Check its boxes.")
    p = float(np.mean(hits))
    spread = 1 + Z95**2 / n
    centre = (p + Z95**2 / (2 * n)) / spread
    half = Z95 * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2)) / spread
    return Rate(100 * p, n, 100 * max(centre - half, 0.0), 100 * min(centre + half, 1.0))


def hit_rates(ious: np.ndarray, iou: float = 0.5) -> np.ndarray:
    """Return the share of hits at each threshold, in percent, from overlaps (n, thresholds).

    >>> hit_rates(np.array([[0.6, 0.5], [0.1, 0.7]])).tolist()
    [50.0, 100.0]
    """
    return 100 * (np.asarray(ious) >= iou).mean(axis=0)


def choose_threshold(ious: np.ndarray, iou: float = 0.5) -> int:
    """Return the index of the threshold with most hits over the split; the middle one of several.

    Args:
        ious: (n, thresholds) overlap of the box that each threshold gives with the truth.
        iou: overlap that makes a hit.

    >>> choose_threshold(np.array([[0.1, 0.6, 0.6, 0.6, 0.2]]))
    2
    """
    rates = hit_rates(ious, iou)
    best = np.flatnonzero(rates >= rates.max() - 1e-9)
    return int(best[len(best) // 2])
