"""Tells which images a training skipped because they could not be read."""

from __future__ import annotations

from pathlib import Path

from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from wsolkit.datasets.wrapped import innermost
from wsolkit.formats.text_lists import write_lines

__all__ = ["CorruptImages"]

NAME = "corrupt_images.txt"


class CorruptImages(Hook):
    """Writes the paths of the skipped images of all processes to ``corrupt_images.txt`` after each epoch."""

    priority = "LOW"

    def __init__(self) -> None:
        self.known: set[str] = set()

    def after_train_epoch(self, runner: Runner) -> None:
        """Gather the paths, and log their number whenever it grew."""
        datasets = [found for found in innermost(runner.train_dataloader.dataset) if hasattr(found, "corrupt")]
        if not datasets:
            return
        mine = [path for dataset in datasets for path in dataset.corrupt()]
        paths = {str(path) for paths in all_gather_object(mine) for path in paths}
        if not paths - self.known or not is_main_process():
            return
        self.known |= paths
        write_lines(Path(runner.work_dir) / NAME, (" ".join(path.splitlines()) for path in sorted(self.known)))
        runner.logger.warning(
            f"{len(self.known)} of {len(runner.train_dataloader.dataset)} training images cannot be read and were "
            f"replaced by others; they are listed in {Path(runner.work_dir) / NAME}."
        )
