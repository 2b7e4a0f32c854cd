"""The maps that the reference code of C2AM sums for segmentation: what logits have above 0, not probabilities."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from wsolkit import Activation, CamMethod, MapNormalize, MapResize, Model

__all__ = ["C2AMLogitMaps"]


class C2AMLogitMaps(CamMethod):
    """Takes the head's map before the sigmoid, turned so that the object is high, with everything below 0 cut off.

    Under ``MultiScaleMaps(of=..., normalize="max")`` this is the reference's inference: of every size and mirror image
    negative logits are cut off, then all are summed and divided by the maximum. A cut at .3 of that leaves about what
    the objects cover, where sigmoid maps divided by their maximum are above .3 nearly everywhere.

    Args:
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
        inverted: what stands for the object where P is the background: ``reference`` for 1 - logit, as the reference
            writes, or ``negated`` for - logit, with which the same map comes out whichever way a training turned. With
            ``reference`` it is 1 larger, and a cut leaves nearly twice the foreground.
    """

    def __init__(
        self,
        resize: MapResize = "bilinear",
        normalize: MapNormalize = "max",
        inverted: Literal["reference", "negated"] = "reference",
    ) -> None:
        super().__init__(resize=resize, normalize=normalize)
        self.inverted = inverted

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w), 0 or more, for ``classes`` (B,) or (B, T), the same for every class.

        Raises:
            ConfigError: the model's head is not a ``C2AMHead``.
        """
        one_map = self.all_maps(model, images, activation or model.activate(images))
        return Activation(one_map, torch.zeros(len(one_map), 2)).of(classes)  # two classes, so that one map serves all

    def all_maps(self, model: Model, images: Tensor, activation: Activation) -> Tensor:
        """Return the map (B, 1, h, w), 0 or more, that serves every class; see ``raw_maps``."""
        polarity = getattr(model.head, "polarity", None)
        if polarity is None:
            raise activation.refusal("logit_map", self)
        logits = activation.need("logit_map", self).float()  # (B, M, h, w)
        turned = (1.0 if self.inverted == "reference" else 0.0) - logits
        signs = polarity.signs.to(logits.device)[:, None, None]
        return torch.where(signs < 0, turned, logits).mean(1, keepdim=True).clamp_min(0)  # (B, 1, h, w)
