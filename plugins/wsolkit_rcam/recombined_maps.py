"""Class maps that do not subtract: channels count by how much the classifier uses them, for or against the class."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from wsolkit import (
    Activation,
    CamMethod,
    HeadError,
    MapNormalize,
    MapResize,
    Model,
    Panel,
    check_classes,
    normalize_maps,
)

__all__ = ["RecombinedMaps", "recombined_maps"]

SIGNED = 0.2
"""Part of the features' absolute sum that may be negative; behind SiLU or GELU it is less."""


def recombined_maps(features: Tensor, weights: Tensor) -> Tensor:
    """Return the maps M = sum over channels of |w| F (RCAM, eq. 21: positive part minus negative part).

    Args:
        features: F, (B, C, h, w).
        weights: w of the asked classes, (B, T, C).

    Returns:
        (B, T, h, w), float32.

    >>> features = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
    >>> recombined_maps(features, torch.tensor([[[0.5, -1.0]]])).tolist()
    [[[[3.5, 1.0]]]]
    """
    return torch.einsum("btc,bchw->bthw", weights.float().abs(), features.float())


class RecombinedMaps(CamMethod):
    """Recombines the last features with the absolute weights of a linear classifier, at prediction only (RCAM).

    It works on any model whose head is a linear classifier over pooled features, trained in whatever way; features
    should not be negative, as behind a ReLU, or the sum is no evidence: the first image with many such features gives a
    warning. Absolute weights tell little about the class: maps of two classes in one image are nearly equal. Use it
    where an image has one object; multi-label data gives a warning.

    Args:
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    takes_labels = "one"

    def __init__(self, resize: MapResize = "bicubic", normalize: MapNormalize = "minmax") -> None:
        super().__init__(resize, normalize)
        self._looked = False

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T).

        Raises:
            HeadError: the head is no linear classifier over pooled features.
            ShapeError: a class is none of the classifier's.
        """
        found = activation or model.activate(images)
        features, weights = self.used(model, found)
        check_classes(classes, len(weights))
        self._look_for_signs(features)
        asked = classes if classes.ndim == 2 else classes[:, None]  # (B, T)
        with torch.autocast(features.device.type, enabled=False):
            maps = recombined_maps(features, weights[asked.to(weights.device)])
        return maps if classes.ndim == 2 else maps[:, 0]

    def all_maps(self, model: Model, images: Tensor, activation: Activation) -> Tensor:
        """Return the maps (B, K, h, w) of every class; see ``raw_maps``."""
        features, weights = self.used(model, activation)
        with torch.autocast(features.device.type, enabled=False):
            return recombined_maps(features, weights.expand(len(features), -1, -1))

    def used(self, model: Model, activation: Activation) -> tuple[Tensor, Tensor]:
        """Return the features (B, C, h, w) and the weights (K, C) of the classifier.

        Raises:
            HeadError: the head is no linear classifier over pooled features.
        """
        weights = model.head.class_weights  # (K, C)
        if weights is None or activation.features is None:
            raise HeadError(
                f"RecombinedMaps needs a linear classifier over pooled features, which {type(model.head).__name__} is "
                "not. Use head=dict(type='LinearHead'), or cam_method=dict(type='HeadMaps').",
                heads=[{"type": "LinearHead"}],
            )
        return activation.features, weights

    def panels(self, model: Model, images: Tensor, label: int, activation: Activation) -> Sequence[Panel]:
        """Return the positive and the negative part of the class map, CAM's difference and their sum (figure 27)."""
        features, weights = self.used(model, activation)
        with torch.autocast(features.device.type, enabled=False):
            positive, negative = (
                torch.einsum("c,chw->hw", part.float(), features[0].float())
                for part in (weights[label].clamp(min=0), (-weights[label]).clamp(min=0))
            )
        maps = {
            "positive part": positive,
            "negative part": negative,
            "CAM: positive - negative": positive - negative,
            "recombined: positive + negative": positive + negative,
        }
        return [Panel(name, normalize_maps(each).cpu().numpy()) for name, each in maps.items()]

    def _look_for_signs(self, features: Tensor) -> None:
        """Warn once where much of the features is negative."""
        if self._looked:
            return
        self._looked = True
        values = features.detach().float()
        share = float(values.clamp_max(0).sum().abs() / values.abs().sum().clamp_min(1e-12))
        if share > SIGNED:
            warnings.warn(
                f"RecombinedMaps adds up features with absolute weights, but {share:.0%} of what these hold is "
                "negative, so that the sum is no evidence. Take a level behind a ReLU, or "
                "cam_method=dict(type='HeadMaps').",
                stacklevel=2,
            )
