"""Scoring a checkpoint as a stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsolkit import __version__
from wsolkit.errors import ConfigError
from wsolkit.evaluation.results import ORACLE, Result
from wsolkit.evaluation.scores import Score
from wsolkit.files import write_json
from wsolkit.pipeline.model_stage import ModelStage
from wsolkit.progress import progress_bars
from wsolkit.scoring.evaluate import Evaluation, Row, as_dict, evaluate

__all__ = ["Test", "numbers_of"]

RESULTS = "results.json"
SPLITS = ("test", "val")


class Test(ModelStage):
    """Scores a checkpoint as ``wsolkit test`` does: ``results.json`` and a page, thresholds chosen on the val split.

    Args:
        config: name or path of the model's configuration, such as ``{train}/config.py``.
        checkpoint: file that training wrote, such as ``{train}/best.pth``.
        options: entries of the configuration to change, by dotted name.
        split: ``test`` or ``val``.
        protocols: published protocols to compute; by default those that fit the data.
        report: write the page ``results/index.html``.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.
    """

    __test__ = False  # pytest takes any class called Test... for one of its own

    def __init__(
        self,
        config: str,
        checkpoint: str,
        options: Mapping[str, Any] | None = None,
        split: str = "test",
        protocols: Sequence[str] = (),
        report: bool = True,
        device: str | None = None,
    ) -> None:
        super().__init__(config, checkpoint, options, device)
        if split not in SPLITS:
            raise ConfigError(f"split should be one of {SPLITS}, but got {split!r}.")
        self.split = split
        self.protocols = list(protocols)
        self.report = report

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Score the checkpoint; returns the model's numbers in percent."""
        loaded = self.load()
        with progress_bars() as advance:
            found = evaluate(loaded.config, loaded.model, self.split, advance=advance, protocols=self.protocols)
        content = {
            "wsolkit": __version__,
            "name": folder.name,
            "command": f"stage {folder.name!r} of a pipeline",
            "config": self.config,
            "checkpoint": self.checkpoint,
            "classes": list(loaded.classes),
            "maps": None,
            **as_dict(found),
        }
        write_json(folder / RESULTS, content)
        if self.report and found.results:
            from wsolkit.report import write_report

            write_report(folder / Path(RESULTS).stem, content)
        return numbers_of(found)


def numbers_of(found: Evaluation) -> dict[str, float]:
    """Return the model's numbers in percent: its row of the table, and the first one of each protocol."""
    row: Row = found.rows[0]
    scores: dict[str, Score | float | None] = dict(row.classification)
    if row.localization is not None:
        scores["GT-known"] = row.localization.gt_known
        scores["top1_loc"], scores["top5_loc"] = row.localization.top1, row.localization.top5
    for result in found.results:
        scores |= honest_score(result)
    return {
        name: score.percent if isinstance(score, Score) else float(score)
        for name, score in scores.items()
        if score is not None
    }


def honest_score(result: Result) -> dict[str, Score]:
    """Return the first number of a protocol that was not chosen on the scored split itself, under its name."""
    return next(({line.name: line.score} for line in result.lines if line.selection != ORACLE), {})
