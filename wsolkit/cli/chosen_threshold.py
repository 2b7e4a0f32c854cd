"""The threshold that ``wsolkit test`` chose for the boxes of a model, beside the one that ``predict`` uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsolkit.report.evaluation import Evaluation

__all__ = ["chosen_by", "chosen_by_test"]

SAME = 1e-3
"""Thresholds this near are one: the validation of a training tries fewer."""


def chosen_by(evaluation: Evaluation, used: float) -> float | None:
    """Return the threshold an evaluation chose for the model's boxes on the validation split, where it is not ``used``.

    Where an evaluation chose several, this is the one of its first number.
    """
    from wsolkit.evaluation.results import VAL

    lines = (line for result in evaluation.results if result.metric == "localization" for line in result.lines)
    found = next((line.threshold for line in lines if line.selection == VAL and line.threshold is not None), None)
    return None if found is None or abs(found - used) < SAME else round(found, 6)


def chosen_by_test(checkpoint: Path, used: float) -> str:
    """Say that ``wsolkit test`` chose another threshold for a checkpoint than the one used, and how to take it.

    Returns:
        The sentence; nothing where no results lie beside the checkpoint or they agree.
    """
    from wsolkit.errors import WsolkitError
    from wsolkit.report import read_evaluation

    checkpoint = checkpoint.resolve()
    file = checkpoint.parent / "test" / "results.json"
    try:
        evaluation = read_evaluation(file) if file.is_file() else None
    except (WsolkitError, OSError):
        return ""
    if evaluation is None or evaluation.checkpoint != str(checkpoint):
        return ""
    chosen = chosen_by(evaluation, used)
    return (
        ""
        if chosen is None
        else f"`wsolkit test` chose {chosen:g} on the validation split: add --threshold {chosen:g} to take it."
    )
