"""The images of a split as they are on disk, and what the stages that read them have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit import ConfigError, Stage
from wsolkit.datasets import DATASETS, ImageDataset
from wsolkit.pipeline import check_split, checked_options, declared_configuration, load_config, outside_files

__all__ = ["SplitStage", "image_of", "split_data"]

Configuration = str | Path | Mapping[str, Any]


def split_data(
    config: Configuration, split: str, options: Mapping[str, Any] | None = None, targets: bool = False
) -> ImageDataset:
    """Build the data set of a split without any transform, in the order of its records.

    Args:
        config: name or path of a configuration, or a loaded one.
        split: ``train``, ``val`` or ``test``: whose dataloader's data set is meant.
        options: entries of the configuration to change, by dotted name; for a name or a path.
        targets: make masks readable; for scoring and for tuning only.

    Raises:
        ConfigError: configuration or split is unknown, or the data set is no ``ImageDataset``.
    """
    loaded = load_config(config, dict(options or {})) if isinstance(config, (str, Path)) else config
    wanted = dict(check_split(loaded, split)) | {"pipeline": [], "load_targets": targets, "test_mode": True}
    wanted.pop("on_corrupt", None)
    dataset = DATASETS.build(wanted)
    if not isinstance(dataset, ImageDataset):
        raise ConfigError(
            f"The stages of wsss read an ImageDataset, but split {split!r} is a {type(dataset).__name__}. Derive it "
            "from wsolkit.datasets.ImageDataset."
        )
    return dataset


def image_of(dataset: ImageDataset, index: int) -> np.ndarray:
    """Return one image as (H, W, 3) uint8, RGB, upright."""
    pixels = dataset.read_image(dataset.record(index))  # (3, H, W)
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


class SplitStage(Stage):
    """A stage that works on the images of a split.

    Args:
        config: name or path of a configuration.
        split: ``train``, ``val`` or ``test``.
        options: entries of the configuration to change, by dotted name.
    """

    def __init__(self, config: str, split: str, options: Mapping[str, Any] | None = None) -> None:
        self.config, self.split, self.options = str(config), split, checked_options(options)

    def inputs(self) -> list[Path]:
        """Return the files the configuration names, where no earlier stage writes it."""
        return outside_files(declared_configuration(self.config, self.options), [])

    def settings(self) -> Mapping[str, Any]:
        """Return the resolved configuration, where no earlier stage writes it.

        Raises:
            ConfigError: it has no such split.
        """
        config = declared_configuration(self.config, self.options)
        if config is None:
            return {}
        check_split(config, self.split)
        return {"configuration": config.to_dict()}
