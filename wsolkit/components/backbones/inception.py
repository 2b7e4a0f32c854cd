"""InceptionV3 cut after Mixed_6e, which the localization papers call GoogLeNet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import Inception_V3_Weights
from torchvision.models.inception import BasicConv2d, InceptionA, InceptionB, InceptionC

from wsolkit.components.backbones.children_in_order import ChildrenInOrder
from wsolkit.errors import ConfigError
from wsolkit.weights.checkpoint import fetch_torchvision, read_weights
from wsolkit.weights.fitting import LoadReport, fit_weights

__all__ = ["InceptionV3"]


class InceptionV3(ChildrenInOrder):
    """InceptionV3 (Szegedy et al., CVPR 2016) up to Mixed_6e, as ACoL, SPG, CSoA and wsolevaluation use it.

    Levels, with channels and stride: ``mixed_5d`` (288, 8), ``mixed_6a``, ``mixed_6b`` and ``mixed_6e`` (768, 16) and,
    where asked for, ``conv_extra`` (``extra_channels``, 16). Modules keep torchvision's names (``Mixed_6b``), with
    ``maxpool1`` and ``maxpool2`` in the stem, so torchvision's and timm's weights fit as they are.

    Args:
        variant: "wsol" pads the stem and moves the stride of Mixed_6a into a pooling before it, as wsolevaluation
            does, so that 224 pixels give 28 x 28 cells at ``mixed_5d`` and 14 x 14 after it; "torchvision" keeps the
            original (25 x 25 and 12 x 12 for 224 pixels, 35 x 35 and 17 x 17 for 299). The weights fit both.
        large_feature_map: leave that pooling out, so that all levels have stride 8 (28 x 28); "wsol" only.
        extra_channels: width of the two 3 x 3 convolutions with ReLU that SPG and CSoA put on top (1024 in the
            papers), or 0 for none.
        dropout: dropout probability before each of those two convolutions.
        transform_input: turn images normalised with ImageNet's mean and deviation into the range [-1, 1] that
            torchvision's weights were trained with.
        weights: a weight file with InceptionV3 in torchvision's names.
        pretrained: download torchvision's ImageNet weights.
        min_match: the least part of the weights that has to fit, in [0, 1]; missing extra convolutions do not count.

    Attributes:
        report: what fitted of the weights, or None.

    Raises:
        ConfigError: the variant is unknown or has no large feature map.
        CheckpointError: the weights cannot be read, fit too little or cannot be downloaded.

    >>> backbone = InceptionV3(extra_channels=1024)
    >>> backbone.strides
    {'mixed_5d': 8, 'mixed_6a': 16, 'mixed_6b': 16, 'mixed_6e': 16, 'conv_extra': 16}
    """

    level_of: ClassVar = {
        "Mixed_5d": "mixed_5d", "Mixed_6a": "mixed_6a", "Mixed_6b": "mixed_6b", "Mixed_6e": "mixed_6e",
    }  # fmt: skip

    def __init__(
        self,
        variant: Literal["wsol", "torchvision"] = "wsol",
        large_feature_map: bool = False,
        extra_channels: Annotated[int, "at least 0"] = 0,
        dropout: Annotated[float, "in [0, 1]"] = 0.5,
        transform_input: bool = False,
        weights: str | Path | None = None,
        pretrained: bool = False,
        min_match: float = 0.9,
    ) -> None:
        super().__init__()
        if large_feature_map and variant != "wsol":
            raise ConfigError("InceptionV3 has a large feature map in the variant 'wsol' only. Set variant='wsol'.")
        if pretrained and weights is not None:
            raise ConfigError(f"Set either pretrained=True or weights={str(weights)!r} for InceptionV3, not both.")
        padded = variant == "wsol"
        self.transform_input = transform_input
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, kernel_size=3, stride=2, padding=int(padded))
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, kernel_size=3)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, kernel_size=3, padding=1)
        self.maxpool1 = nn.MaxPool2d(3, 2, padding=int(padded), ceil_mode=padded)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, kernel_size=1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, kernel_size=3)
        self.maxpool2 = nn.MaxPool2d(3, 2, padding=int(padded), ceil_mode=padded)
        self.Mixed_5b = InceptionA(192, pool_features=32)
        self.Mixed_5c = InceptionA(256, pool_features=64)
        self.Mixed_5d = InceptionA(288, pool_features=64)
        if padded and not large_feature_map:
            self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.Mixed_6a = _StrideOneInceptionB(288) if padded else InceptionB(288)
        self.Mixed_6b = InceptionC(768, channels_7x7=128)
        self.Mixed_6c = InceptionC(768, channels_7x7=160)
        self.Mixed_6d = InceptionC(768, channels_7x7=160)
        self.Mixed_6e = InceptionC(768, channels_7x7=192)
        if extra_channels:
            self.conv_extra = _extra_convolutions(768, extra_channels, dropout)
        self._initialize()
        self.channels = {"mixed_5d": 288, "mixed_6a": 768, "mixed_6b": 768, "mixed_6e": 768}
        deep = 8 if large_feature_map else 16
        self.strides = {name: 8 if name == "mixed_5d" else deep for name in self.channels}
        if extra_channels:
            self.channels["conv_extra"] = extra_channels
            self.strides["conv_extra"] = deep
        self.report: LoadReport | None = None
        if pretrained or weights is not None:
            self._load(weights, min_match)

    def enter(self, images: Tensor) -> Tensor:
        """Return images in the range that the weights were trained with."""
        return to_unit_range(images) if self.transform_input else images

    def _initialize(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.1)
        if hasattr(self, "conv_extra"):
            for module in self.conv_extra.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.xavier_uniform_(module.weight)
                    nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def _load(self, weights: str | Path | None, min_match: float) -> None:
        origin = "torchvision's inception_v3" if weights is None else str(weights)
        if weights is None:
            state = fetch_torchvision(origin, Inception_V3_Weights.IMAGENET1K_V1.get_state_dict)
        else:
            state = read_weights(weights)
        self.report = fit_weights(self, state, min_match, fresh=("conv_extra.",), origin=origin)
        self.report.log(f"{origin} into InceptionV3")


def to_unit_range(images: Tensor) -> Tensor:
    """Turn images (B, 3, H, W) normalised with ImageNet's mean and deviation into the range [-1, 1].

    >>> black = (torch.zeros(3) - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    >>> torch.allclose(to_unit_range(black.view(1, 3, 1, 1)), -torch.ones(1))
    True
    """
    mean = images.new_tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = images.new_tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    return (images * deviation + mean) * 2 - 1


class _StrideOneInceptionB(InceptionB):
    """Mixed_6a without its stride: every branch keeps the size of the map."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels)
        for block in (self.branch3x3, self.branch3x3dbl_3):
            block.conv.stride, block.conv.padding = (1, 1), (1, 1)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        pooled = F.max_pool2d(x, kernel_size=3, stride=1, padding=1)
        return torch.cat([self.branch3x3(x), double, pooled], dim=1)


def _extra_convolutions(channels: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Conv2d(channels, width, 3, padding=1),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(),
    )
