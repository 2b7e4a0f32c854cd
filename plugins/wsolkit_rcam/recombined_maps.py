"""Class maps that do not subtract: channels count by how much the classifier uses them, for or against the class."""

from __future__ import annotations

import torch
from torch import Tensor

from wsolkit import Activation, CamMethod, ConfigError, Model, ShapeError

__all__ = ["RecombinedMaps", "recombined_maps"]


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
    should not be negative, as behind a ReLU, or the sum is no evidence. Absolute
    weights tell little about the class: maps of two classes in one image are nearly equal. Use it where an image has
    one object.
    """

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: the head is no linear classifier over pooled features.
            ShapeError: a class is none of the classifier's.
        """
        found = activation or model.activate(images)
        weights = model.head.class_weights  # (K, C)
        if weights is None or found.features is None:
            raise ConfigError(
                f"RecombinedMaps needs a linear classifier over pooled features, which {type(model.head).__name__} is "
                "not. Use head=dict(type='LinearHead'), or cam_method=dict(type='HeadMaps')."
            )
        if classes.numel() and (int(classes.min()) < 0 or int(classes.max()) >= len(weights)):
            raise ShapeError(
                f"classes should lie in 0..{len(weights) - 1}, those of the classifier, but got {int(classes.min())}.."
                f"{int(classes.max())}."
            )
        asked = classes if classes.ndim == 2 else classes[:, None]  # (B, T)
        with torch.autocast(found.features.device.type, enabled=False):
            maps = recombined_maps(found.features, weights[asked.to(weights.device)])
        return maps if classes.ndim == 2 else maps[:, 0]
