"""What a classifier says of the images of a split: one view of each, or the average of ten crops."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from wsolkit import ConfigError, class_probabilities, progress_bar, ten_crops
from wsolkit.pipeline import build_split, check_split, split_batches

__all__ = ["TenCrop", "class_scores"]


class TenCrop:
    """Ten crops of an image: the four corners and the middle, and the same of the flipped image.

    Args:
        resize: (height, width) that images are warped to, or one number for both.
        crop: (height, width) of the crops, or one number for both; not larger than ``resize``.

    Raises:
        ConfigError: the crop does not fit.

    >>> TenCrop(256, 224).resize
    (256, 256)
    """

    def __init__(self, resize: int | tuple[int, int] = 256, crop: int | tuple[int, int] = 224) -> None:
        self.resize, self.crop = (
            (each, each) if isinstance(each, int) else (int(each[0]), int(each[1])) for each in (resize, crop)
        )
        if min(self.crop) < 1 or self.crop[0] > self.resize[0] or self.crop[1] > self.resize[1]:
            raise ConfigError(f"The ten crops should fit into the size {self.resize}, but got {self.crop}.")


def class_scores(
    config: Any,
    model: Any,
    split: str,
    crops: TenCrop | None = None,
    batch_size: int = 32,
    num_workers: int = 0,
) -> dict[str, np.ndarray]:
    """Return the probability (K,) float64 of every class in each image of a split, by image name.

    Args:
        config: the resolved configuration of the classifier.
        model: a ``Localizer`` in eval mode whose head classifies.
        split: ``train``, ``val`` or ``test``.
        crops: average the probabilities of ten crops; the whole image as for the evaluation by default.
        batch_size: images at once, before they are cropped.
        num_workers: processes that read images.

    Raises:
        ConfigError: the model does not classify.
        DataError: an image cannot be read.
        MapError: the model's logits are NaN or infinite; names the image.
    """
    if crops is not None:
        config = resized(config, crops)
    dataset = build_split(config, split)
    found: dict[str, np.ndarray] = {}
    with progress_bar(f"classes of {split}", len(dataset)) as advance:
        for batch in split_batches(dataset, batch_size=batch_size, num_workers=num_workers):
            views = batch["inputs"][:, None] if crops is None else ten_crops(batch["inputs"], crops.crop)
            each = class_probabilities(model, views, batch["image_ids"])
            found.update(zip(batch["image_ids"], each, strict=True))
            advance(len(each))
    return found


def resized(config: Any, crops: TenCrop) -> Any:
    """Return the configuration with a plain resize as the pipeline of the evaluation: the crops come after it."""
    config = deepcopy(config)
    for split in ("val", "test"):
        if config.get(f"{split}_dataloader"):
            dataset: Any = check_split(config, split)
            dataset["pipeline"] = [{"type": "Resize", "size": crops.resize, "antialias": True}]
    return config
