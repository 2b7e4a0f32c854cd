"""Thresholds: which there are, which is best, and how it was chosen.

Conventions: a hit is an IoU of at least the wanted one (>=). A threshold is chosen where the rate over a whole split is
highest; of several such thresholds the middle one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from wsolkit.errors import ConfigError, DataError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.results import FIXED, ORACLE, VAL

__all__ = [
    "best_place",
    "check_thresholds",
    "choose_threshold",
    "hit_rates",
    "honest_threshold",
    "index_of",
    "selection_words",
]

NEAR = 0.005
"""How far from a wanted threshold the measured one may be."""
MOST = 65_535
"""How many thresholds there may be: maps are cut into levels of 16 bits."""


def check_thresholds(thresholds: float | Sequence[float] | np.ndarray) -> np.ndarray:
    """Return thresholds (T,) float64; a single number is the step from 0 to 1.

    Raises:
        ConfigError: there are none or too many, or one is no number in [0, 1).

    >>> check_thresholds(0.25).tolist()
    [0.0, 0.25, 0.5, 0.75]
    """
    try:
        found = np.asarray(thresholds, np.float64)
    except (TypeError, ValueError):
        found = np.full(1, np.nan)
    if found.ndim == 0:
        step = float(found)
        if not 1 / MOST <= step <= 1:
            raise ConfigError(
                f"The step between thresholds should be in (0, 1], 1/{MOST} at least, but got {str(thresholds)[:80]}."
            )
        found = np.arange(0, 1, step)
        return found[found < 1]
    if found.ndim != 1 or not len(found) or not (found.min() >= 0 and found.max() < 1):
        raise ConfigError(
            f"thresholds are fractions of the map's maximum in [0, 1), but got {str(thresholds)[:80]}. Give a list of "
            "them, or the step from 0 to 1."
        )
    if len(found) > MOST:
        raise ConfigError(f"There may be {MOST} thresholds, but got {len(found)}. Leave some out.")
    return found


def best_place(values: np.ndarray) -> int:
    """Return the place of the largest of values (n,), the middle one of several; NaN counts as nothing.

    Raises:
        DataError: there is no number among them.

    >>> best_place(np.array([1.0, 7.0, 7.0, 7.0, np.nan]))
    2
    """
    if np.isnan(values).all():
        raise DataError(f"There is nothing to choose a threshold by: none of {len(values)} values is a number.")
    best = np.flatnonzero(values >= np.nanmax(values) - 1e-9)
    return int(best[len(best) // 2])


def honest_threshold(threshold: Any, own: Accumulator[Any], *at: Any, same: Sequence[str] = ()) -> tuple[float, str]:
    """Return a threshold that did not see the scored split, and how it was chosen.

    Args:
        threshold: a number in [0, 1], or another accumulator of the same kind with a ``best_threshold``.
        own: the accumulator of the scored split.
        *at: arguments for ``best_threshold``.
        same: names of the settings in which the two accumulators have to agree.

    Raises:
        ConfigError: it is something else, or an accumulator of other settings.
    """
    if isinstance(threshold, Real) and 0 <= float(threshold) <= 1:
        return float(threshold), FIXED
    kind: Any = type(own)
    if type(threshold) is kind and threshold is not own:
        for name in same:
            mine, theirs = getattr(own, name), getattr(threshold, name)
            if mine != theirs:
                raise ConfigError(
                    f"The threshold would be chosen at {name.replace('_', ' ')} {theirs!r}, but is wanted at {mine!r}. "
                    "Measure the validation split with the same settings."
                )
        return float(threshold.best_threshold(*at)), VAL
    given = "the scored split itself" if threshold is own else str(threshold)[:40]
    raise ConfigError(
        f"threshold should be a number in [0, 1], or a {kind.__name__} that saw the validation split, but got "
        f"{given}. Leave it out for the test-oracle number."
    )


def selection_words(selections: Iterable[str]) -> str:
    """Return how the thresholds were chosen, in words, for the conventions.

    >>> selection_words([FIXED, ORACLE])
    'fixed; test-oracle (best on the scored split itself, for comparison only)'
    """
    oracle = f"{ORACLE} (best on the scored split itself, for comparison only)"
    return "; ".join(oracle if selection == ORACLE else selection for selection in selections)


def index_of(threshold: float, thresholds: np.ndarray) -> int:
    """Return the index of the threshold (T,) nearest to the wanted one, at most .005 away.

    Raises:
        ConfigError: the wanted one is not in [0, 1), or was not measured.

    >>> index_of(0.2, np.array([0.0, 0.201, 0.4]))
    1
    """
    if not 0 <= threshold < 1:
        raise ConfigError(f"A box threshold is a fraction of the map's maximum in [0, 1), but got {threshold}.")
    nearest_one = int(np.abs(thresholds - threshold).argmin())
    if abs(thresholds[nearest_one] - threshold) > NEAR:
        raise ConfigError(
            f"No image was measured at the threshold {threshold:g}; the nearest is {thresholds[nearest_one]:g}. "
            "Measure with thresholds=0.001, or take a threshold that was measured."
        )
    return nearest_one


def hit_rates(ious: np.ndarray, iou: float = 0.5) -> np.ndarray:
    """Return the share of hits at each threshold, in percent, from overlaps (n, thresholds).

    Raises:
        DataError: there is no trial.

    >>> hit_rates(np.array([[0.6, 0.5], [0.1, 0.7]])).tolist()
    [50.0, 100.0]
    """
    if not len(ious):
        raise DataError("There are no trials to take a rate of: the split has no image with a box. Check its boxes.")
    return 100 * (np.asarray(ious) >= iou).mean(axis=0)


def choose_threshold(ious: np.ndarray, iou: float = 0.5) -> int:
    """Return the index of the threshold with most hits over the split; the middle one of several.

    Args:
        ious: (n, thresholds) overlap of the box that each threshold gives with the truth.
        iou: overlap that makes a hit.

    >>> choose_threshold(np.array([[0.1, 0.6, 0.6, 0.6, 0.2]]))
    2
    """
    return best_place(hit_rates(ious, iou))
