"""What changes whole training batches: built, held against the parts it does not go with, and applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from wsolkit.errors import ConfigError, ShapeError
from wsolkit.interfaces import Batch, BatchTransform, KnownLevels
from wsolkit.registry import BATCH_TRANSFORMS

__all__ = ["apply_transforms", "build_transforms", "check_pixels"]

CACHED = "works on the pixels of images, but the training reads their cached features"


def build_transforms(configs: Sequence[Any], model: nn.Module) -> list[BatchTransform]:
    """Build the batch transforms of a model, whose other parts are built already.

    Raises:
        ConfigError: one is unknown, or mixes the labels that a part of the model looks classes up in.
    """
    built = [BATCH_TRANSFORMS.build(config) for config in configs]
    mixing = [type(each).__name__ for each in built if each.mixes_labels]
    for part in model.modules() if mixing else ():
        if getattr(part, "indexes_labels", False):
            name = type(part).__name__
            raise ConfigError(
                f"{mixing[0]} gives an image shares of several classes, but {name} asks which classes it shows. "
                "Leave one of the two out.",
                about=(mixing[0], name),
            )
    return built


def check_pixels(transforms: Sequence[BatchTransform]) -> None:
    """Refuse transforms that want pixels where there are only cached features.

    Raises:
        ConfigError: one does.
    """
    for each in transforms:
        if each.reads_pixels:
            name = type(each).__name__
            raise ConfigError(f"{name} {CACHED}. Leave feature_cache out, or {name}.", about=name)


def apply_transforms(transforms: Sequence[BatchTransform], batch: Batch) -> Batch:
    """Return what the transforms make of a training batch, one after the other.

    Raises:
        ConfigError: one wants pixels where there are only cached features.
        ShapeError: one returns no batch, or images, labels, names and extras of different numbers.
    """
    if transforms and isinstance(batch.images, KnownLevels):
        check_pixels(transforms)
    for each in transforms:
        batch = checked_batch(type(each).__name__, each(batch), batch)
    return batch


def checked_batch(name: str, found: Any, before: Batch) -> Batch:
    """Return what a transform returned, if it is a batch whose entries belong together.

    Raises:
        ShapeError: it is not.
    """
    if not isinstance(found, Batch):
        raise ShapeError(
            f"{name} should return a Batch, but returned a {type(found).__name__}. Return dataclasses.replace(batch).",
            about=name,
        )
    if found.images.ndim != 4 or found.images.shape[1] != before.images.shape[1]:
        raise ShapeError(
            f"{name} was given images {tuple(before.images.shape)} and returned {tuple(found.images.shape)}. They "
            "should be (B, 3, H, W).",
            about=name,
        )
    counts = {"labels": found.labels, "image_ids": found.image_ids or None, **found.extras}
    sized = {key: len(value) for key, value in counts.items() if isinstance(value, (Tensor, Sequence))}
    for key, count in sized.items():
        if count != len(found.images):
            raise ShapeError(
                f"{name} returned {len(found.images)} images, but {count} of {key}. Change both together.", about=name
            )
    return found
