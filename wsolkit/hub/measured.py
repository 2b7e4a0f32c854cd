"""What was measured of a checkpoint: the results of ``wsolkit test`` that lie beside it."""

from __future__ import annotations

from pathlib import Path

from wsolkit.errors import ConfigError
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.evaluation_file import RESULTS, read_evaluation

__all__ = ["measured"]

SPLITS = ("test", "val")


def measured(checkpoint: Path, results: str | Path | None = None) -> list[Evaluation]:
    """Return the evaluations of a checkpoint.

    Args:
        checkpoint: the file.
        results: where they are; by default those beside the checkpoint that were made of it, since it was written.

    Raises:
        ConfigError: the results that are named are of another checkpoint.
        DataError: they cannot be read.
    """
    if results is not None:
        found = read_evaluation(results)
        if not is_of(found, checkpoint):
            raise ConfigError(
                f"The results in {results} are of {found.checkpoint or 'no checkpoint'}, and not of {checkpoint}. Give "
                f"those that `wsolkit test {checkpoint}` writes, or leave them out."
            )
        return [found]
    files = [checkpoint.parent / split / RESULTS for split in SPLITS]
    newer = [file for file in files if file.is_file() and file.stat().st_mtime >= checkpoint.stat().st_mtime]
    return [found for file in newer if is_of(found := read_evaluation(file), checkpoint)]


def is_of(evaluation: Evaluation, checkpoint: Path) -> bool:
    """Whether an evaluation is of a checkpoint, by its path; its copy without a pickle is the same model."""
    told = None if evaluation.checkpoint is None else Path(evaluation.checkpoint)
    return told is not None and told.with_suffix("") == checkpoint.resolve().with_suffix("")
