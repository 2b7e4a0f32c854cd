"""The images of a split a second time, batch by batch beside the usual ones, at the size ten crops are cut out of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import repeat
from typing import Any

from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import Tensor

from wsolkit.errors import ConfigError
from wsolkit.interfaces import Model
from wsolkit.model.ten_crop import class_probabilities, scores_of, ten_crops
from wsolkit.registry import SCOPE

__all__ = ["crop_words", "with_crop_scores"]

SMALLER, LARGER = 224, 256
"""Crops of this size out of images of that size, as for ImageNet; other inputs in proportion."""


def warped_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) that images are warped to for crops of the network's input size.

    >>> warped_size((224, 224)), warped_size((96, 64))
    ((256, 256), (110, 73))
    """
    height, width = (round(side * LARGER / SMALLER) for side in size)
    return height, width


def crop_words(size: tuple[int, int]) -> str:
    """Say what the class scores of a result come from.

    >>> crop_words((224, 224))
    'mean probabilities of ten crops of 224 x 224, images warped to 256 x 256'
    """
    larger = warped_size(size)
    return f"mean probabilities of ten crops of {size[1]} x {size[0]}, images warped to {larger[1]} x {larger[0]}"


def with_crop_scores(loader: Iterable[Any], settings: Any, model: Model) -> Iterator[Any]:
    """Yield the batches of a loader with ``logits``, class scores (B, K) averaged over ten crops of each image.

    Args:
        loader: yields batches of images (B, 3, H, W) uint8, the whole image at the network's input size.
        settings: the configuration the loader was built of; a second one gives the same images larger.
        model: a localizer in eval mode.

    Raises:
        ConfigError: the data set has no pipeline, or the model does not classify.
    """
    larger: Iterator[Any] = repeat(None)
    for number, batch in enumerate(loader):
        size = (batch["inputs"].shape[-2], batch["inputs"].shape[-1])
        if number == 0:
            larger = iter(larger_images(settings, warped_size(size)))
        seen = next(larger)
        multi_label = batch["labels"].ndim > 1
        found = class_probabilities(model, ten_crops(seen["inputs"], size), batch["image_ids"], multi_label)
        scores: Tensor = scores_of(found, multi_label)
        yield {**batch, "logits": scores}


def larger_images(settings: Any, size: tuple[int, int]) -> Iterable[Any]:
    """Return a loader of the same images, warped to a size."""
    settings = deepcopy(settings)
    if not isinstance(settings.get("dataset"), dict) or "pipeline" not in settings["dataset"]:
        raise ConfigError(
            "Ten crops are cut out of images warped to another size, but the data set has no pipeline of its own to "
            "change. Leave ten crops out."
        )
    settings["dataset"]["pipeline"] = [{"type": "Resize", "size": size, "antialias": True}]
    settings["dataset"].pop("load_targets", None)
    with DefaultScope.overwrite_default_scope(SCOPE):
        return Runner.build_dataloader(settings, seed=0)
