"""The images of a split as they are on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit import DATASETS, ConfigError, load_config
from wsolkit.datasets import ImageDataset
from wsolkit.pipeline import check_split

__all__ = ["image_of", "split_data"]

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
