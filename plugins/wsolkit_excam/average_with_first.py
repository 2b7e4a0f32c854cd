"""The maps of two classifiers, averaged: one that sees the whole object, one that was trained without its best part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from wsolkit import CAM_METHODS, Activation, CamMethod, ConfigError, MapNormalize, Model
from wsolkit_excam.erase_found import EraseFound
from wsolkit_excam.first_classifier import FirstClassifier

__all__ = ["AverageWithFirst"]


class AverageWithFirst(CamMethod):
    """Averages the maps of a model with those of the first classifier it was trained after (ex-CAM, section 3.8.2).

    Both models see the whole image. Their maps are brought to [0, 1] at the size of the input, each by its own CAM
    method, before they are averaged.

    Args:
        checkpoint: of the first classifier; by default that of the model's ``EraseFound``.
        config: its configuration; by default the one stored in the checkpoint, or the ``config.py`` beside it.
        of: configuration of the CAM method for the model's own maps; the head's maps by default.
        normalize: see ``CamMethod``; applied to the average.
    """

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        config: str | Path | None = None,
        of: Any = None,
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(resize="none", normalize=normalize)
        self.of: CamMethod = CAM_METHODS.build(of or {"type": "HeadMaps"})
        self.given = checkpoint is not None
        self.first = FirstClassifier("AverageWithFirst", checkpoint, config)

    def check(self, model: Model) -> None:
        """Refuse a model that the method for its own maps refuses."""
        self.of.check(model)

    def activate(self, model: Model, images: Tensor) -> Activation:
        """Return what the model makes of the images, as the method for its own maps wants it."""
        return self.of.activate(model, images)

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, H, W) or (B, T, H, W) in [0, 1] for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: there is no checkpoint or no configuration for it, or the two models have other classes.
            CheckpointError: the checkpoint is missing, cannot be read or is of another model.
        """
        helper = self.first_of(model)
        first = helper.model(images.device)
        seen = helper.prepared(images, model.data_preprocessor)
        known, here = first.activate(seen), activation or self.activate(model, images)
        if known.logits is not None and here.logits is not None and known.logits.shape[1] != here.logits.shape[1]:
            raise ConfigError(
                f"AverageWithFirst needs two models of the same classes, but the first classifier {helper.checkpoint} "
                f"has {known.logits.shape[1]} and this model {here.logits.shape[1]}. Train both on the same data."
            )
        return (first.cam_method(first, seen, classes, known) + self.of(model, images, classes, here)) / 2

    def first_of(self, model: Model) -> FirstClassifier:
        """Return the given first classifier, or that of the model's ``EraseFound``."""
        erasers = [each for each in model.image_modifiers if isinstance(each, EraseFound)]
        return erasers[0].first if erasers and not self.given else self.first
