"""Pixels by score: histograms of a map's foreground and background, and what follows from them.

Conventions: see ``px_ap``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from wsolkit.errors import ConfigError
from wsolkit.evaluation.checks import checked_map, checked_mask
from wsolkit.evaluation.class_masks import ignored_in

__all__ = ["at_least", "bin_edges", "compact", "pixel_histograms", "pooled_ap", "pooled_iou", "ratio"]


@lru_cache(maxsize=8)
def bin_edges(step: float) -> np.ndarray:
    """Return the edges of the bins, 0, step, ... below 1, then 1, 2 and 3, as (bins + 1,) float64.

    Raises:
        ConfigError: the step is not from 1e-5 to .5.

    >>> bin_edges(0.25).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 3.0]
    """
    if not 1e-5 <= step <= 0.5:
        raise ConfigError(f"step should be from 1e-5 to .5, but got {step}. The usual one is .001.")
    below = np.arange(0, 1, step)
    edges = np.append(below[below < 1], [1.0, 2.0, 3.0])
    edges.flags.writeable = False
    return edges


def pixel_histograms(score_map: Any, mask: Any, step: float = 0.001) -> tuple[np.ndarray, np.ndarray]:
    """Return how many foreground and how many background pixels have a score in each bin.

    Args:
        score_map: (H, W) scores in [0, 1].
        mask: (H, W) uint8, 0 background, 255 left out, anything else foreground.
        step: width of the bins, see ``bin_edges``.

    Returns:
        Two (bins,) int64 arrays, foreground and background.

    Raises:
        ConfigError: the step makes no sense.
        ShapeError: map and mask have different shapes.
        MapError: the map holds NaN or something outside [0, 1].
        DataError: the mask holds no whole numbers from 0 to 255.

    >>> foreground, background = pixel_histograms(np.array([[0.1, 0.5, 1.0]]), np.array([[0, 1, 255]]), step=0.5)
    >>> foreground.tolist(), background.tolist()
    ([0, 1, 0, 0], [1, 0, 0, 0])
    """
    edges = bin_edges(step)
    scores = checked_map(score_map).astype(np.float64)
    truth = checked_mask(mask, scores.shape).ravel()
    scores = scores.ravel()
    # The quotient is at most one bin off where a score lies on an edge or the last bin below 1 is short.
    places = np.minimum((scores / step).astype(np.intp), len(edges) - 3)
    places -= scores < edges[places]
    places += scores >= edges[places + 1]
    kinds = (truth != 0).astype(np.intp) + (truth == ignored_in(truth))
    bins = len(edges) - 1
    counts = np.bincount(kinds * bins + places, minlength=3 * bins).reshape(3, bins)
    return counts[1], counts[0]


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return ``part / whole`` of counts of one shape as float64, NaN where ``whole`` is 0.

    >>> ratio(np.array([1, 0]), np.array([2, 0])).tolist()
    [0.5, nan]
    """
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def at_least(counts: np.ndarray) -> np.ndarray:
    """Return how many scores are in each bin (..., bins) or a higher one.

    >>> at_least(np.array([1, 2, 3])).tolist()
    [6, 5, 3]
    """
    return np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1]


def pooled_ap(foreground: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return the average precision (...) in percent of histograms (..., bins), NaN without foreground.

    It is the sum over the bins of precision times gain in recall; a bin's gain is its share of the foreground.

    >>> float(pooled_ap(np.array([0, 1, 1]), np.array([1, 1, 0])).round(2))
    83.33
    """
    found = at_least(foreground)
    precision = np.nan_to_num(ratio(found, found + at_least(background)))
    return 100 * ratio((precision * foreground).sum(-1), found[..., 0])


def pooled_iou(foreground: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return the IoU (..., bins) in percent at the lower edge of each bin, of histograms (..., bins).

    >>> pooled_iou(np.array([0, 1, 1]), np.array([1, 1, 0])).round(2).tolist()
    [50.0, 66.67, 50.0]
    """
    return 100 * ratio(at_least(foreground), foreground.sum(-1, keepdims=True) + at_least(background))


def compact(counts: np.ndarray) -> np.ndarray:
    """Return counts in the smallest unsigned type that holds them.

    >>> compact(np.array([0, 300])).dtype
    dtype('uint16')
    """
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))
