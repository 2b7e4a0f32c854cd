"""Otsu's threshold: a cut that needs no box."""

from __future__ import annotations

import numpy as np

__all__ = ["BINS", "histogram", "otsu_cut"]

BINS = 256


def histogram(score_map: np.ndarray) -> np.ndarray:
    """Return how many pixels of a map lie in each of 256 bins between 0 and its maximum, (256,) int64; 0 for no signal.

    >>> histogram(np.array([[0.0, 0.5, 1.0]])).nonzero()[0].tolist()
    [0, 128, 255]
    """
    peak = float(score_map.max(initial=0.0))
    if peak <= 0:
        return np.zeros(BINS, np.int64)
    places = np.minimum((score_map / peak * BINS).astype(np.int64), BINS - 1)
    return np.bincount(places.ravel(), minlength=BINS)


def otsu_cut(counts: np.ndarray) -> float:
    """Return the cut in [0, 1) that separates a histogram best: the largest variance between the two sides.

    Args:
        counts: (n,) pixels in each of n bins from 0 to 1.

    Returns:
        The lower edge of the first bin above the cut; the middle one of several that are as good, 0 where all pixels
        are in one bin.

    >>> otsu_cut(np.array([4, 0, 0, 3]))
    0.5
    """
    counts = np.asarray(counts, np.float64)
    centres = (np.arange(len(counts)) + 0.5) / len(counts)
    below, total = np.cumsum(counts)[:-1], counts.sum()
    if total == 0:
        return 0.0
    sums, whole = np.cumsum(counts * centres)[:-1], float(counts @ centres)
    above = total - below
    both = (below > 0) & (above > 0)
    if not both.any():
        return 0.0
    between = np.zeros(len(below))
    gap = sums[both] / below[both] - (whole - sums[both]) / above[both]
    between[both] = below[both] * above[both] * gap**2
    best = np.flatnonzero(between >= between.max() * (1 - 1e-12))
    return float((best[len(best) // 2] + 1) / len(counts))
