"""What stages that work on the images of a split have in common: what their result depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsolkit.interfaces import Stage
from wsolkit.pipeline.configurations import checked_options, declared_configuration, outside_files
from wsolkit.pipeline.splits import check_split

__all__ = ["SplitStage"]


class SplitStage(Stage):
    """A stage that works on the images of a split.

    Its result depends on the resolved configuration and on the files and folders of ``reads``.

    Args:
        config: name or path of a configuration.
        split: ``train``, ``val`` or ``test``.
        options: entries of the configuration to change, by dotted name.
    """

    def __init__(self, config: str, split: str, options: Mapping[str, Any] | None = None) -> None:
        self.config, self.split, self.options = str(config), split, checked_options(options)

    def reads(self) -> Sequence[str | Path | None]:
        """Return the files and folders this stage reads beside the images; those of earlier stages are passed over."""
        return []

    def inputs(self) -> list[Path]:
        """Return what it reads and the files the configuration names, where no earlier stage writes them."""
        given = [path for path in self.reads() if path is not None]
        return outside_files(declared_configuration(self.config, self.options), given)

    def declares(self) -> Mapping[str, Any]:
        """Return the resolved configuration, where no earlier stage writes it.

        Raises:
            ConfigError: it has no such split.
        """
        config = declared_configuration(self.config, self.options)
        if config is None:
            return {}
        check_split(config, self.split)
        return {"configuration": config.to_dict()}
