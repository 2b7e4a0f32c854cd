"""What a comparison says: a number of every run, and a run against the first one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wsolkit.evaluation.paired import Paired
from wsolkit.evaluation.results import Line

__all__ = ["Pair", "Row"]


class Row(NamedTuple):
    """One number of every run.

    Attributes:
        metric: the metric it belongs to.
        name: its name.
        oracle: whether its threshold was chosen on the scored split itself.
        lines: the number of each run, then of each trivial baseline; None where one has none.
        runs: how many of them are runs.
    """

    metric: str
    name: str
    oracle: bool
    lines: tuple[Line | None, ...]
    runs: int

    @property
    def best(self) -> set[int]:
        """Places of the runs with the largest number, to the digit that tables show.

        None with fewer than two, nor where they were taken over unequal numbers of trials.
        """
        values = {
            place: round(line.score.percent, 1)
            for place, line in enumerate(self.lines[: self.runs])
            if line is not None and np.isfinite(line.score.percent)
        }
        counts = {line.score.n for line in self.lines[: self.runs] if line is not None}
        if len(values) < 2 or len(counts) > 1:
            return set()
        return {place for place, value in values.items() if value == max(values.values())}


class Pair(NamedTuple):
    """A run against the first one, on the trials that both have.

    Attributes:
        name: the run.
        only_first: how many trials only the first run has.
        only_other: how many only this run has.
        moved: how many shared trials have other true boxes.
        paired: what the shared trials say; None without any.
        p_holm: the p value, corrected for how many runs are compared with the first.
    """

    name: str
    only_first: int
    only_other: int
    moved: int
    paired: Paired | None
    p_holm: float | None
