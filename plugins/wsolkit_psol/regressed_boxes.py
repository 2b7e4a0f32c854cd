"""The boxes that a trained regressor finds in a split."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from wsolkit import enough_memory, progress_bar
from wsolkit.pipeline import build_split, split_batches
from wsolkit_psol.regressor import BoxRegressor

__all__ = ["regressed_boxes"]


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
