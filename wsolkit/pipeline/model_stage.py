"""What stages that use a model have in common: its configuration, its checkpoint and a device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from wsolkit.config.load_model import LoadedModel, load_model
from wsolkit.config.training_free import check_training_free
from wsolkit.errors import ConfigError
from wsolkit.interfaces import Stage
from wsolkit.model.device import choose_device
from wsolkit.pipeline.configurations import checked_options, declared_configuration, outside_files

__all__ = ["ModelStage"]


class ModelStage(Stage):
    """A stage that uses a model.

    Args:
        config: name or path of the model's configuration, such as ``{train}/config.py``.
        checkpoint: file that training wrote, such as ``{train}/best.pth``; none for a model in which nothing is
            trained.
        options: entries of the configuration to change, by dotted name.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str | None = None,
        options: Mapping[str, Any] | None = None,
        device: str | None = None,
    ) -> None:
        self.config = str(config)
        self.checkpoint = None if checkpoint is None else str(checkpoint)
        self.options = checked_options(options)
        self.device = device
        if device is not None:
            choose_device(device)

    def load(self) -> LoadedModel:
        """Return the model, in eval mode on the device, and its configuration."""
        return load_model(self.config, self.checkpoint, self.options, self.device)

    def inputs(self) -> list[Path]:
        """Return the checkpoint and the files the configuration names, where no earlier stage writes them."""
        return outside_files(self.configuration(), filter(None, [self.checkpoint]))

    def configuration(self) -> Config | None:
        """Return the resolved configuration, or None where an earlier stage writes it.

        Raises:
            ConfigError: there is no such configuration, the options do not fit it, or it needs a checkpoint and has
                none.
        """
        config = declared_configuration(self.config, self.options)
        if self.checkpoint is None:
            if config is None:
                raise ConfigError(f"{self.config} is written by a training. Name its checkpoint too: checkpoint=....")
            check_training_free(config.get("model") or {}, self.config)
        return config

    def declares(self) -> Mapping[str, Any]:
        """Return the resolved configuration, where no earlier stage writes it."""
        config = self.configuration()
        return {} if config is None else {"configuration": config.to_dict()}
