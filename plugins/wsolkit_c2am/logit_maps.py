"""The maps that the reference code of C2AM sums for segmentation: logits, not probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from wsolkit import Activation, CamMethod, ConfigError, MapNormalize, MapResize, Model

__all__ = ["C2AMLogitMaps"]


class C2AMLogitMaps(CamMethod):
    """Takes the head's map before the sigmoid; where P is the background, one less the logit, as the reference does.

    Under ``MultiScaleMaps(of=..., normalize="max")`` this is the reference's inference: summed over sizes and mirror
    images, negative sums cut off, divided by the maximum.

    Args:
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(self, resize: MapResize = "bilinear", normalize: MapNormalize = "max") -> None:
        super().__init__(resize=resize, normalize=normalize)

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T), the same for every class.

        Raises:
            ConfigError: the model's head is not a ``C2AMHead``.
        """
        found = activation or model.activate(images)
        polarity = getattr(model.head, "polarity", None)
        if "logit_map" not in found.extras or polarity is None:
            raise ConfigError(
                f"C2AMLogitMaps reads the map before the sigmoid, which {type(model.head).__name__} does not give. Use "
                "head=dict(type='C2AMHead'), or cam_method=dict(type='HeadMaps')."
            )
        logits = found.extras["logit_map"].float()  # (B, 1, h, w)
        oriented = logits if polarity.sign > 0 else 1 - logits
        one_map = Activation(oriented, torch.zeros(len(oriented), 2))  # two classes, so that one map serves all
        return one_map.of(classes)
