"""Scoring a checkpoint as a stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from wsolkit.pipeline.model_stage import ModelStage
from wsolkit.progress import progress_bars
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.evaluation_file import PAGE, RESULTS, write_evaluation
from wsolkit.scoring.from_model import score_model

__all__ = ["Test"]


class Test(ModelStage):
    """Scores a checkpoint as ``wsolkit test`` does: ``results.json`` and a page, thresholds chosen on the val split.

    Args:
        config: name or path of the model's configuration, such as ``{train}/config.py``.
        checkpoint: file that training wrote, such as ``{train}/best.pth``; none for a model in which nothing is
            trained.
        options: entries of the configuration to change, by dotted name.
        split: ``test`` or ``val``.
        protocols: published protocols to compute; by default those that fit the data.
        report: write the page ``index.html``.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.
        ten_crop: let ten crops of each image say its class; maps and boxes stay those of the whole image.
    """

    __test__ = False  # pytest takes any class called Test... for one of its own

    def __init__(
        self,
        config: str,
        checkpoint: str | None = None,
        options: Mapping[str, Any] | None = None,
        split: Literal["test", "val"] = "test",
        protocols: Sequence[str] = (),
        report: bool = True,
        device: str | None = None,
        ten_crop: bool = False,
    ) -> None:
        super().__init__(config, checkpoint, options, device)
        self.split = split
        self.protocols = list(protocols)
        self.report = report
        self.ten_crop = ten_crop

    def lacks(self, file: str, data: bool = False) -> str | None:
        """Say why there will be no such file: a test leaves its results, and a page where one is asked for."""
        left = [RESULTS, PAGE] if self.report else [RESULTS]
        return None if file in left else f"a test leaves {' and '.join(left)}"

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Score the checkpoint; returns the model's numbers in percent, those whose threshold is honest."""
        found = self.evaluation(folder.name, f"stage {folder.name!r} of a pipeline")
        write_evaluation(folder, found, page=self.report)
        return found.honest_numbers()

    def evaluation(self, name: str, command: str) -> Evaluation:
        """Score the checkpoint; nothing is written.

        Args:
            name: what tables call it.
            command: what made it, in words.
        """
        loaded = self.load()
        with progress_bars() as advance:
            found = score_model(
                loaded.config,
                loaded.model,
                self.split,
                advance=advance,
                protocols=self.protocols,
                ten_crop=self.ten_crop,
            )
        found.name, found.command = name, command
        found.config = self.config
        found.checkpoint = None if self.checkpoint is None else str(Path(self.checkpoint).resolve())
        found.training = loaded.training
        return found
