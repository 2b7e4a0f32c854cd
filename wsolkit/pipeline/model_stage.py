"""What stages that use a trained model have in common: its configuration, its checkpoint and a device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsolkit.config.load_model import LoadedModel, load_model
from wsolkit.interfaces import Stage
from wsolkit.model.device import choose_device
from wsolkit.pipeline.configurations import checked_options, declared_configuration, outside_files

__all__ = ["ModelStage"]


class ModelStage(Stage):
    """A stage that uses a trained model.

    Args:
        config: name or path of the model's configuration, such as ``{train}/config.py``.
        checkpoint: file that training wrote, such as ``{train}/best.pth``.
        options: entries of the configuration to change, by dotted name.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str,
        options: Mapping[str, Any] | None = None,
        device: str | None = None,
    ) -> None:
        self.config = str(config)
        self.checkpoint = str(checkpoint)
        self.options = checked_options(options)
        self.device = device
        if device is not None:
            choose_device(device)

    def load(self) -> LoadedModel:
        """Return the model, in eval mode on the device, and its configuration."""
        return load_model(self.config, self.checkpoint, self.options, self.device)

    def inputs(self) -> list[Path]:
        """Return the checkpoint and the files the configuration names, where no earlier stage writes them."""
        return outside_files(declared_configuration(self.config, self.options), [self.checkpoint])

    def declares(self) -> Mapping[str, Any]:
        """Return the resolved configuration, where no earlier stage writes it."""
        config = declared_configuration(self.config, self.options)
        return {} if config is None else {"configuration": config.to_dict()}
