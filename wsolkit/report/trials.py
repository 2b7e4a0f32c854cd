"""The trials of runs by image and class, which is how runs are put side by side."""

from __future__ import annotations

from wsolkit.errors import DataError
from wsolkit.evaluation.failures import Trial
from wsolkit.report.evaluation import Evaluation

__all__ = ["Key", "by_key"]

Key = tuple[str, int]


def by_key(run: Evaluation) -> dict[Key, Trial]:
    """Return a run's trials by image and class.

    Raises:
        DataError: two trials have the same.
    """
    found: dict[Key, Trial] = {}
    for trial in run.trials:
        key = (trial.image_id, trial.label)
        if key in found:
            raise DataError(f"{run.path} has two trials of image {key[0]!r} and class {key[1]}. Make the run again.")
        found[key] = trial
    return found
