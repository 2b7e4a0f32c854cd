"""AlexNet, up to its last convolution or to the vector before its classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.models import AlexNet_Weights, alexnet

from wsolkit.errors import ConfigError
from wsolkit.interfaces import Backbone
from wsolkit.weights.checkpoint import fetch_torchvision, read_weights
from wsolkit.weights.fitting import LoadReport, fit_weights

__all__ = ["AlexNet"]

LEVELS = {"conv5": (256, 16), "features": (256, 32), "fc7": (4096, 224)}
"""Channels and stride of each level."""

SMALLEST = 63


class AlexNet(Backbone):
    """AlexNet as torchvision has it (Krizhevsky 2014), without its last layer.

    Level ``conv5`` is the last rectified convolution, (B, 256, 13, 13) for 224 pixels, for class activation maps (Zhou
    et al. 2016); ``features`` is the same behind its pooling, 6 x 6; ``fc7`` the rectified output of the second dense
    layer, (B, 4096, 1, 1) for images of any size, for embeddings. Only the level asked for is computed and kept.
    Images with a side below 63 pixels are enlarged to it, the least this network takes.

    Args:
        level: ``fc7``, ``features`` or ``conv5``.
        weights: a weight file of AlexNet in torchvision's names.
        pretrained: download torchvision's ImageNet weights.
        min_match: the least part of the weights that has to fit, in [0, 1].

    Attributes:
        report: what fitted of the weights, or None.

    Raises:
        ConfigError: the level is unknown.
        CheckpointError: the weights cannot be read, fit too little or cannot be downloaded.

    >>> backbone = AlexNet(level="features")
    >>> backbone.channels, backbone(torch.zeros(1, 3, 224, 224))["features"].shape
    ({'features': 256}, torch.Size([1, 256, 6, 6]))
    """

    def __init__(
        self,
        level: Literal["conv5", "features", "fc7"] = "fc7",
        weights: str | Path | None = None,
        pretrained: bool = False,
        min_match: Annotated[float, "in [0, 1]"] = 0.9,
    ) -> None:
        super().__init__()
        if pretrained and weights is not None:
            raise ConfigError(f"Set either pretrained=True or weights={str(weights)!r} for AlexNet, not both.")
        whole = alexnet(weights=None)
        self.level = level
        self.features = whole.features[:-1] if level == "conv5" else whole.features
        if level == "fc7":
            self.avgpool = whole.avgpool
            self.classifier = whole.classifier[:6]
        self.channels = {level: LEVELS[level][0]}
        self.strides = {level: LEVELS[level][1]}
        self.report: LoadReport | None = None
        if pretrained or weights is not None:
            origin = "torchvision's alexnet" if weights is None else str(weights)
            download = AlexNet_Weights.IMAGENET1K_V1.get_state_dict
            state = fetch_torchvision(origin, download) if weights is None else read_weights(weights)
            self.report = fit_weights(self, state, min_match, origin=origin)
            self.report.log(f"{origin} into AlexNet")

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images (B, 3, H, W) to the one level."""
        sides = [max(side, SMALLEST) for side in images.shape[-2:]]
        if sides != list(images.shape[-2:]):
            images = F.interpolate(images, size=sides, mode="bilinear", align_corners=False)
        maps = self.features(images)
        if self.level == "fc7":
            maps = self.classifier(torch.flatten(self.avgpool(maps), 1))[:, :, None, None]
        return {self.level: maps}
