"""VGG16 as the CAM paper changed it: no dense layers, a last convolution of 1024 channels."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import VGG16_Weights

from wsolkit.components.backbones.children_in_order import ChildrenInOrder
from wsolkit.errors import ConfigError
from wsolkit.weights.checkpoint import fetch_torchvision, read_weights
from wsolkit.weights.fitting import LoadReport, fit_weights

__all__ = ["VGG16GAP", "ConvReLU"]

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Output channels of the convolutions in VGG16's five blocks."""

LEVELS = ("block3", "block4", "block5", "conv6")


class ConvReLU(nn.Conv2d):
    """A convolution followed by ReLU as one module, so that what sits behind it by name sees rectified features."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, C, h, w) to the rectified output of the convolution."""
        return F.relu(super().forward(input))


class VGG16GAP(ChildrenInOrder):
    """VGG16 for class activation maps (Zhou et al., CVPR 2016), with the convolution layers before the classifier only.

    Pool5 and the dense layers are gone and a 3 x 3 convolution with ReLU, ``conv6``, is put on top, so that 224 pixels
    give 14 x 14 cells. Levels, with channels and stride: ``block3`` (256, 4), ``block4`` (512, 8), ``block5`` (512, 16)
    and ``conv6`` (1024, 16); a block's level is its last rectified convolution, before the pooling.

    Modules that a modifier can sit behind are named as in the papers: ``conv1_1`` to ``conv5_3`` and ``conv6`` (each
    with its ReLU) and ``pool1`` to ``pool4``. ADL, ASS and ADH use ``pool3``, ``pool4`` and ``conv5_3``.

    Args:
        large_feature_map: leave pool4 out, as wsolevaluation does, so that blocks 5 and 6 have stride 8 (28 x 28 cells
            for 224 pixels); ``pool4`` stays as a name and passes its input on.
        extra_channels: output channels of ``conv6``; 0 leaves it out, and ``block5`` is the deepest level.
        weights: a weight file with VGG16 in torchvision's or timm's names (``features.0``) or in these.
        pretrained: download torchvision's ImageNet weights.
        min_match: the least part of the weights that has to fit, in [0, 1]; a missing ``conv6`` does not count.

    Attributes:
        report: what fitted of the weights, or None.

    Raises:
        CheckpointError: the weights cannot be read, fit too little or cannot be downloaded.

    >>> import torch
    >>> backbone = VGG16GAP(large_feature_map=True)
    >>> backbone.strides
    {'block3': 4, 'block4': 8, 'block5': 8, 'conv6': 8}
    >>> backbone(torch.zeros(1, 3, 32, 48))["conv6"].shape
    torch.Size([1, 1024, 4, 6])
    """

    level_of: ClassVar = {"conv3_3": "block3", "conv4_3": "block4", "conv5_3": "block5"}

    def __init__(
        self,
        large_feature_map: bool = False,
        extra_channels: int = 1024,
        weights: str | Path | None = None,
        pretrained: bool = False,
        min_match: float = 0.9,
    ) -> None:
        super().__init__()
        if pretrained and weights is not None:
            raise ConfigError(f"Set either pretrained=True or weights={str(weights)!r} for VGG16GAP, not both.")
        channels = 3
        for block, widths in enumerate(BLOCKS, start=1):
            for layer, width in enumerate(widths, start=1):
                self.add_module(f"conv{block}_{layer}", ConvReLU(channels, width, 3, padding=1))
                channels = width
            if block < 5:
                keep = block == 4 and large_feature_map
                self.add_module(f"pool{block}", nn.Identity() if keep else nn.MaxPool2d(2, 2))
        if extra_channels:
            self.conv6 = ConvReLU(channels, extra_channels, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        last = 8 if large_feature_map else 16
        self.channels = dict(zip(LEVELS, (256, 512, 512, extra_channels), strict=True))
        self.strides = dict(zip(LEVELS, (4, 8, last, last), strict=True))
        if not extra_channels:
            self.channels.pop("conv6")
            self.strides.pop("conv6")
        self.report: LoadReport | None = None
        if pretrained or weights is not None:
            self._load(weights, min_match)

    def _load(self, weights: str | Path | None, min_match: float) -> None:
        origin = "torchvision's vgg16" if weights is None else str(weights)
        if weights is None:
            state = fetch_torchvision(origin, VGG16_Weights.IMAGENET1K_V1.get_state_dict)
        else:
            state = read_weights(weights)
        self.report = fit_weights(self, state, min_match, fresh=("conv6.",), aliases=torchvision_names(), origin=origin)
        self.report.log(f"{origin} into VGG16GAP")


def torchvision_names() -> dict[str, str]:
    """Return torchvision's and timm's name of each convolution of VGG16 with ours.

    >>> names = torchvision_names()
    >>> names["features.0"], names["features.5"], names["features.28"]
    ('conv1_1', 'conv2_1', 'conv5_3')
    """
    names, index = {}, 0
    for block, widths in enumerate(BLOCKS, start=1):
        for layer in range(1, len(widths) + 1):
            names[f"features.{index}"] = f"conv{block}_{layer}"
            index += 2  # a ReLU follows
        index += 1  # the pooling
    return names
