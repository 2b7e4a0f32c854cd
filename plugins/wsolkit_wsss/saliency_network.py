"""The network that learns saliency from background cues: PoolNet on any backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from wsolkit import BACKBONES, MODELS, Checked, ConfigError, DataError, ShapeError, freeze_modules, keep_resting
from wsolkit_wsss.pool_modules import FeatureAggregation, PyramidPooling, resize_to

__all__ = ["SaliencyNetwork", "saliency_loss"]

Reduction = Literal["mean", "sum"]


def saliency_loss(logits: Tensor, masks: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Return the binary cross entropy of saliency logits, averaged over images.

    Args:
        logits: (B, 1, H, W).
        masks: (B, H, W), 1 where an image is salient and 0 elsewhere; values between are soft targets.
        reduction: how the pixels of an image are put together: their ``mean`` or their ``sum``.

    >>> logits, masks = torch.zeros(2, 1, 2, 3), torch.ones(2, 2, 3)
    >>> [round(saliency_loss(logits, masks, how).item(), 4) for how in ("mean", "sum")]
    [0.6931, 4.1589]
    """
    if logits.shape != (masks.shape[0], 1, *masks.shape[1:]):
        raise ShapeError(
            f"Saliency logits should be (B, 1, H, W) as the masks (B, H, W), but got {tuple(logits.shape)} and "
            f"{tuple(masks.shape)}."
        )
    each = F.binary_cross_entropy_with_logits(logits[:, 0].float(), masks.float(), reduction="none")
    pixels = each.flatten(1)
    return (pixels.sum(1) if reduction == "sum" else pixels.mean(1)).mean()


def image_size(size: Sequence[int]) -> tuple[int, int]:
    """Return (height, width) in pixels.

    Raises:
        ConfigError: these are not two positive whole numbers.

    >>> image_size([224, 320])
    (224, 320)
    """
    sides = list(size) if isinstance(size, Sequence) else []
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ConfigError(f"The size of a SaliencyNetwork should be (height, width) in pixels, but got {size!r}.")
    return sides[0], sides[1]


class SaliencyNetwork(Checked, BaseModel):
    """Predicts one saliency map from several levels of a backbone (PoolNet, Liu et al., CVPR 2019).

    Pyramid pooling over the deepest level sees the whole image; what it sees flows to every level (global guidance
    flows). From deep to shallow, each level is added to what is known, and a feature aggregation module looks at the
    sum at several scales. A convolution of the shallowest gives the logits, which are resized to the image.

    Args:
        backbone: a backbone with two or more levels, as a configuration or an object.
        width: channels of the decoder at every level.
        bins: grids of the pyramid pooling, in cells.
        rates: sides of the squares that the aggregation modules average over, in cells.
        reduction: how the loss puts the pixels of an image together: their ``mean``, or their ``sum`` as PoolNet.
        freeze_norms: leave the batch norms of the backbone as they were pretrained, statistics and weights; batches of
            one image have no statistics.
        size: (height, width) that images are resized to for prediction; None leaves them as they are.
        freeze: modules of the backbone that are not trained, by dotted name.
        data_preprocessor: as in mmengine; by default ``ImagePreprocessor``.
        init_cfg: as in mmengine.

    Raises:
        ConfigError: the backbone gives one level only, or a choice is unknown.
    """

    def __init__(
        self,
        backbone: Any,
        width: int = 128,
        bins: Sequence[int] = (1, 3, 5),
        rates: Sequence[int] = (2, 4, 8),
        reduction: Reduction = "mean",
        freeze_norms: bool = True,
        size: Sequence[int] | None = None,
        freeze: Sequence[str] = (),
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(MODELS.build(data_preprocessor or {"type": "ImagePreprocessor"}), init_cfg)
        self.backbone = BACKBONES.build(backbone)
        self.names = list(self.backbone.channels)  # shallow to deep
        if len(self.names) < 2:
            raise ConfigError(
                f"A SaliencyNetwork goes from deep to shallow levels, but the backbone gives {self.names} only. "
                "Name two or more in its levels=[...]."
            )
        channels = self.backbone.channels
        self.reduction = reduction
        self.size = None if size is None else image_size(size)
        self.guidance = PyramidPooling(channels[self.names[-1]], width, bins)
        self.sides = nn.ModuleList(nn.Conv2d(channels[name], width, 1, bias=False) for name in self.names)
        self.flows = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in self.names)
        self.gathers = nn.ModuleList(FeatureAggregation(width, rates) for _ in self.names)
        self.score = nn.Conv2d(width, 1, 3, padding=1)
        self.frozen = freeze_modules(self.backbone, freeze)
        self.fixed_norms = [""] if freeze_norms else []
        for module in self.backbone.modules() if freeze_norms else ():
            if isinstance(module, _BatchNorm):
                module.requires_grad_(False)

    def train(self, mode: bool = True) -> SaliencyNetwork:
        """Switch to training or evaluation; what is frozen stays in evaluation."""
        super().train(mode)
        keep_resting(self.backbone, self.frozen, self.fixed_norms)
        return self

    def logits(self, images: Tensor) -> Tensor:
        """Return saliency logits (B, 1, H, W) of normalised images (B, 3, H, W).

        Raises:
            ShapeError: these are no images.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise ShapeError(f"Images should be (B, 3, H, W), but got {tuple(images.shape)}.")
        levels = self.backbone(images)
        seen = self.guidance(levels[self.names[-1]])  # (B, width, h, w) of the deepest
        known = torch.zeros_like(seen)
        for place in reversed(range(len(self.names))):
            level = levels[self.names[place]]
            side = F.relu(self.sides[place](level)) + F.relu(self.flows[place](resize_to(seen, level.shape[-2:])))
            known = self.gathers[place](side + resize_to(known, level.shape[-2:]))
        return resize_to(self.score(F.relu(known)), images.shape[-2:])

    def forward(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        image_ids: Sequence[str] = (),
        masks: Sequence[Tensor] | None = None,
        mode: str = "tensor",
        **_: Any,
    ) -> Any:
        """Run the model as mmengine asks: ``loss`` for training, ``predict`` for saliency in [0, 1], else logits."""
        if mode == "loss":
            return {"loss_saliency": self.loss(inputs, masks)}
        if mode == "predict":
            return self.saliency(inputs)
        return self.logits(inputs)

    def loss(self, images: Tensor, masks: Sequence[Tensor] | None) -> Tensor:
        """Return the loss of images (B, 3, H, W) against cues, B of (H, W) with 255 foreground and 0 background.

        Raises:
            DataError: there are no cues.
        """
        if masks is None:
            raise DataError(
                "A SaliencyNetwork trains on cues, but the data has none. Use the data set SaliencyCues for training."
            )
        targets = torch.stack([mask.reshape(mask.shape[-2:]) for mask in masks]).to(images.device)
        return saliency_loss(self.logits(images), targets.float() / 255, self.reduction)

    @torch.no_grad()
    def saliency(self, images: Tensor) -> Tensor:
        """Return saliency (B, H, W) in [0, 1] of normalised images (B, 3, H, W)."""
        return self.logits(images)[:, 0].float().sigmoid()
