"""Training as a stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from wsolkit.config.load import load_config
from wsolkit.interfaces import Stage
from wsolkit.pipeline.configurations import checked_options, declared_configuration, outside_files
from wsolkit.training.checkpoints import BEST, LAST
from wsolkit.training.kept_files import has_nothing_to_monitor, never_kept
from wsolkit.training.launch import train_in_processes
from wsolkit.training.train import train

__all__ = ["Train"]


class Train(Stage):
    """Trains a model as ``wsolkit train`` does; ``config.py``, ``last.pth`` and ``best.pth`` are left in the folder.

    One that was cut off goes on exactly from its ``last.pth``.

    Args:
        config: name or path of a configuration.
        options: entries of it to change, by dotted name.
        seed: seed of everything random; as the configuration says by default.
        processes: how many train it, each a share of every batch; torchrun starts them where there are several.
    """

    def __init__(
        self,
        config: str,
        options: Mapping[str, Any] | None = None,
        seed: int | None = None,
        processes: Annotated[int, "at least 1"] = 1,
    ) -> None:
        self.config = str(config)
        self.options = checked_options(options)
        self.seed = seed
        self.processes = processes

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Train; returns the best value of the monitored metric, if there is one."""
        if self.processes > 1:
            training = train_in_processes(self.config, self.options, folder, resume, self.seed, self.processes)
        else:
            training = train(load_config(self.config, self.options), folder, resume=resume, seed=self.seed)
        if training.metric is None or training.score is None:
            return {}
        return {f"best {training.metric}": training.score}

    def inputs(self) -> list[Path]:
        """Return the files the configuration names, such as pretrained weights."""
        return outside_files(declared_configuration(self.config, self.options), [])

    def declares(self) -> Mapping[str, Any]:
        """Return the resolved configuration."""
        config = declared_configuration(self.config, self.options)
        return {} if config is None else {"configuration": config.to_dict()}

    def lacks(self, file: str, data: bool = False) -> str | None:
        """Say why the training will not leave a checkpoint of this name."""
        config = declared_configuration(self.config, self.options)
        if config is None:
            return None
        why = never_kept(config, file)
        if why is None and data and file == BEST and has_nothing_to_monitor(config):
            return (
                "the model does not classify and no image of the val split has a box, so nothing says which weights "
                f"are best; take {LAST}, or give the val split boxes"
            )
        return why
