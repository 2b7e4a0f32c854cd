"""A trained box regressor, and the boxes it finds in a split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wsolkit import MODELS, ConfigError, choose_device, enough_memory, load_weights, progress_bar, read_checkpoint
from wsolkit.pipeline import build_split, split_batches
from wsolkit_psol.regressor import BoxRegressor

__all__ = ["regressed_boxes", "trained_regressor"]


def trained_regressor(config: Mapping[str, Any], checkpoint: str | Path, device: str | None = None) -> BoxRegressor:
    """Return the regressor of a configuration with the weights of a checkpoint, in eval mode on a device.

    Raises:
        ConfigError: the configuration's model is no ``BoxRegressor``.
        CheckpointError: the checkpoint cannot be read or is of another model.
    """
    settings = dict(config.get("model") or {})
    if isinstance(settings.get("backbone"), Mapping):
        empty = {"weights": None, "pretrained": False}  # the checkpoint holds all weights
        settings["backbone"] = {key: empty.get(key, value) for key, value in settings["backbone"].items()}
    settings.pop("compile", None)
    model = MODELS.build(settings) if settings else None
    if not isinstance(model, BoxRegressor):
        raise ConfigError(
            f"A BoxRegressor is needed, but the model is a {type(model).__name__}. Take the configuration that the "
            "regressor was trained with."
        )
    load_weights(model, read_checkpoint(checkpoint), checkpoint)
    return model.eval().to(choose_device(device))


@torch.no_grad()
def regressed_boxes(
    config: Any, model: BoxRegressor, split: str, batch_size: int = 32, num_workers: int = 0
) -> dict[str, np.ndarray]:
    """Return the regressor's box (4,) of every image of a split, in pixels of the original image, by image name.

    Images go through the evaluation's transforms, which show all of the image.

    Args:
        config: the resolved configuration of the regressor.
        model: the regressor, in eval mode.
        split: ``train``, ``val`` or ``test``.
        batch_size: images at once.
        num_workers: processes that read images.

    Raises:
        DataError: an image cannot be read, or the regressor predicts NaN.
    """
    dataset = build_split(config, split)
    found: dict[str, np.ndarray] = {}
    with progress_bar(f"boxes of {split}", len(dataset)) as advance:
        for batch in split_batches(dataset, batch_size=batch_size, num_workers=num_workers):
            images = model.data_preprocessor({"inputs": batch["inputs"]})["inputs"]
            with enough_memory(len(images)):
                predictions = model.predict(images, batch["image_ids"])
            for prediction, size in zip(predictions, batch["sizes"], strict=True):
                found[prediction.image_id] = prediction.on(size)
            advance(len(images))
    return found
