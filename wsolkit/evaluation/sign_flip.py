"""Whether differences by image are more than chance: the exact sign-flip test.

Conventions: where two methods are equally good, an image's difference is as likely to be in favour of the one as of the
other, so every choice of signs is as likely as the one that was seen (R. A. Fisher, The design of experiments, 1935,
section 21). The p value is the share of all 2^n choices whose sum lies as far from 0. It is counted, not drawn: where
every difference is -1, 0 or 1, it is McNemar's exact test. Images are the units: an image with several trials is one.
"""

from __future__ import annotations

import math

import numpy as np

from wsolkit.errors import DataError

__all__ = ["sign_flip"]

EXACT = 5_000
"""Up to how many differing images are counted; with more, the sum is normal to many digits."""


def sign_flip(gains: np.ndarray) -> float:
    """Return the two-sided p value of differences by image; 1 where no image tells the methods apart.

    Args:
        gains: (images,) whole numbers: hits of the second method minus hits of the first, in a common unit.

    Raises:
        DataError: they are no whole numbers.

    >>> sign_flip(np.array([1, 1, 1, 1, 1, 0, 0]))
    0.0625
    >>> sign_flip(np.array([2, -1]))
    1.0
    """
    whole = np.asarray(gains)
    if whole.ndim != 1 or whole.dtype.kind not in "iu":
        raise DataError(f"Differences by image should be whole numbers (n,), but got {whole.dtype} {whole.shape}.")
    sizes = np.abs(whole[whole != 0].astype(np.int64))
    if not len(sizes):
        return 1.0
    unit = int(np.gcd.reduce(sizes))
    sizes, observed = sizes // unit, abs(int(whole.sum())) // unit
    if len(sizes) > EXACT:
        return math.erfc(observed / math.sqrt(2 * int((sizes**2).sum())))
    likely = np.ones(1)
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        step = np.zeros(2 * int(size) * int(count) + 1)
        step[:: 2 * int(size)] = halves(int(count))
        likely = np.convolve(likely, step)
    reach = int(sizes.sum())
    return min(1.0, float(likely[np.abs(np.arange(-reach, reach + 1)) >= observed].sum()))


def halves(n: int) -> np.ndarray:
    """Return how likely 0 to n of n fair coins are heads, (n + 1,).

    >>> halves(2).round(12).tolist()
    [0.25, 0.5, 0.25]
    """
    if n < 60:
        return np.array([math.comb(n, k) / 2**n for k in range(n + 1)])
    logs = np.array([math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(n + 1)])
    return np.exp(logs - n * math.log(2))
