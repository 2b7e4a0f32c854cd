"""Activation heads: from feature levels to maps and logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wsolkit.components.poolings import AveragePooling
from wsolkit.errors import ConfigError, nearest
from wsolkit.interfaces import Activation, ActivationHead, Batch, Levels
from wsolkit.modules import in_float32
from wsolkit.registry import POOLINGS

__all__ = [
    "ConvHead",
    "FeatureHead",
    "LinearHead",
    "choose_level",
    "concat_levels",
    "map_classifier",
    "recombine",
    "standardization",
]


def choose_level(channels: Mapping[str, int], level: str | None = None) -> str:
    """Return the name of the level to read: the given one, or the deepest.

    Raises:
        ConfigError: the backbone has no such level.

    >>> choose_level({"layer3": 1024, "layer4": 2048})
    'layer4'
    """
    if level is None:
        return list(channels)[-1]
    if level not in channels:
        raise ConfigError(f"The backbone gives no level {level!r} to the head. {nearest(level, channels)}")
    return level


def concat_levels(levels: Levels, names: Sequence[str]) -> Tensor:
    """Return levels side by side, (B, C, h, w) with the channels in the order of the names.

    Levels with fewer cells are resized bilinearly to the largest of those named.

    >>> levels = {"layer3": torch.zeros(1, 4, 6, 6), "layer4": torch.ones(1, 8, 3, 3)}
    >>> concat_levels(levels, ["layer4", "layer3"]).shape
    torch.Size([1, 12, 6, 6])
    """
    chosen = [levels[name] for name in names]
    if len(chosen) == 1:
        return chosen[0]
    size = max((level.shape[-2:] for level in chosen), key=lambda side: side[0] * side[1])
    resized = [
        level if level.shape[-2:] == size else F.interpolate(level, size=size, mode="bilinear", align_corners=False)
        for level in chosen
    ]
    return torch.cat(resized, dim=1)


def recombine(features: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Weigh features (B, C, h, w) by a classifier's weights (K, C) into maps (B, K, h, w) (Zhou et al. 2016, eq. 2).

    With average pooling, the mean of map k is the logit of class k.

    >>> features = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
    >>> recombine(features, torch.tensor([[1.0, -1.0]])).tolist()
    [[[[-2.0, 2.0]]]]
    """
    bias = None if bias is None else bias.to(features.dtype)
    return nn.functional.conv2d(features, weight[:, :, None, None].to(features.dtype), bias)


def standardization(channels: int) -> nn.Module:
    """Return what brings channels to mean 0 and variance 1: a batch norm that learns nothing and forgets nothing.

    >>> module = standardization(1)
    >>> batches = [torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([[[[2.0, 4.0]]]])]
    >>> [module(batch).round().flatten().tolist() for batch in batches], module.running_mean.tolist()
    ([[-1.0, 1.0], [-1.0, 1.0]], [2.0])
    """
    return nn.BatchNorm2d(channels, affine=False, momentum=None)


def map_classifier(channels: int, maps: int, hidden: Sequence[int] = ()) -> nn.Sequential:
    """Return a 3 x 3 convolution with ReLU for each number of hidden channels, and a 1 x 1 convolution to the maps.

    >>> map_classifier(8, 5, hidden=(16, 4))(torch.zeros(2, 8, 7, 7)).shape
    torch.Size([2, 5, 7, 7])
    """
    sides = [channels, *hidden]
    inner = [nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(sides)]
    last = nn.Conv2d(sides[-1], maps, 1)
    for convolution in inner:
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    nn.init.normal_(last.weight, std=0.01)
    for convolution in (*inner, last):
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
    rectified = [module for convolution in inner for module in (convolution, nn.ReLU())]
    return nn.Sequential(*rectified, last)


class LinearHead(ActivationHead):
    """Pools features and classifies them linearly; the class maps are the features weighed by the classifier.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        pooling: configuration or object of the pooling over the features; average pooling by default.
        level: the level to read, the deepest by default.
        bias: whether the classifier has a bias. It is added to the maps as well.
        dropout: probability of dropping a pooled feature in training.
    """

    gives: ClassVar = {"logits": {}, "features": {}}

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        pooling: Any = None,
        level: str | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.level = choose_level(channels, level)
        self.pooling = POOLINGS.build(pooling or {"type": "AveragePooling"})
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels[self.level], num_classes, bias=bias)
        nn.init.normal_(self.classifier.weight, std=0.01)
        if bias:
            nn.init.zeros_(self.classifier.bias)

    @property
    def class_weights(self) -> Tensor:
        """The (K, C) weights of the classifier."""
        return self.classifier.weight

    @property
    def mean_weights(self) -> Tensor | None:
        """The weights of the classifier, where it sees the mean of the features and nothing else."""
        plain = type(self).forward is LinearHead.forward and type(self.pooling) is AveragePooling
        return self.classifier.weight if plain else None

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) and logits (B, K)."""
        features = levels[self.level]
        with torch.autocast(features.device.type, enabled=False):  # a classifier costs nothing, and its scores rank
            logits = in_float32(self.classifier, self.dropout(self.pooling(features.float())))
        return Activation(lambda: self.class_maps(features), logits, features)

    def class_maps(self, features: Tensor) -> Tensor:
        """Return the maps (B, K, h, w) of features (B, C, h, w), in float32."""
        with torch.autocast(features.device.type, enabled=False):
            return recombine(features.float(), self.classifier.weight, self.classifier.bias)


class ConvHead(ActivationHead):
    """Makes class maps by a 1x1 convolution and pools them to logits.

    With ``maps_per_class`` M > 1 the convolution has K*M channels, class-major (channel k*M + m); map modifiers see all
    of them, then the mean over m is taken; the maps before both are the extra ``maps_per_class``, (B, K, M, h, w). With
    M = 1 and average pooling the logits equal those of a linear classifier over pooled features.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        pooling: configuration or object of the pooling over the maps; average pooling by default.
        level: the level to read, the deepest by default.
        maps_per_class: M.
        bias: whether the convolution has a bias.
        standardize: bring every channel to mean 0 and variance 1 first: those of the batch in training, and the mean of
            all batches since, kept in the checkpoint, from then on. For the features of a frozen backbone, whose
            channels differ a hundredfold; with features that learn, the mean of all batches would be out of date.
    """

    gives: ClassVar = {"maps_per_class": {"maps_per_class": 8}}
    takes_map_modifiers = True

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        pooling: Any = None,
        level: str | None = None,
        maps_per_class: Annotated[int, "at least 1"] = 1,
        bias: bool = True,
        standardize: bool = False,
    ) -> None:
        super().__init__()
        self.level = choose_level(channels, level)
        self.standardized = standardization(channels[self.level]) if standardize else nn.Identity()
        self.maps_per_class = maps_per_class
        self.pooling = POOLINGS.build(pooling or {"type": "AveragePooling"})
        self.classifier = nn.Conv2d(channels[self.level], num_classes * maps_per_class, 1, bias=bias)
        nn.init.normal_(self.classifier.weight, std=0.01)
        if self.classifier.bias is not None:
            nn.init.zeros_(self.classifier.bias)

    @property
    def mean_weights(self) -> Tensor | None:
        """The weights of the convolution, the mean over m, where nothing else lies between features and logits."""
        plain = type(self).forward is ConvHead.forward and type(self.pooling) is AveragePooling
        if not plain or isinstance(self.standardized, nn.BatchNorm2d) or not self.maps_at_rest:
            return None
        return self.classifier.weight.flatten(1).unflatten(0, (-1, self.maps_per_class)).mean(1)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) and logits (B, K)."""
        features = levels[self.level]
        every = self.classifier(self.standardized(features))  # (B, K*M, h, w)
        maps = self.map_modifiers(every).float()  # averaged and pooled in bf16, scores of many images would tie
        extras = {}
        if self.maps_per_class > 1:
            extras["maps_per_class"] = every.unflatten(1, (-1, self.maps_per_class))
            maps = maps.unflatten(1, (-1, self.maps_per_class)).mean(2)  # (B, K, h, w)
        return Activation(maps, self.pooling(maps), features, extras)


class FeatureHead(ActivationHead):
    """Hands on a level as it is, for CAM methods and box extractors that make their maps of features alone.

    Nothing in it is trained, so a model with it needs no checkpoint (``wsolkit predict CONFIG photos``). Its own map is
    the length of each cell's features; it does not classify.

    Args:
        channels: channels of the backbone's levels, by name.
        level: the level to hand on, the deepest by default.

    >>> head = FeatureHead({"layer4": 2})
    >>> found = head({"layer4": torch.tensor([[[[3.0, 0.0]], [[4.0, 1.0]]]])})
    >>> found.maps.tolist(), found.logits, found.features.shape
    ([[[[5.0, 1.0]]]], None, torch.Size([1, 2, 1, 2]))
    """

    gives: ClassVar = {"features": {}}

    def __init__(self, channels: Mapping[str, int], level: str | None = None) -> None:
        super().__init__()
        self.level = choose_level(channels, level)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make one map (B, 1, h, w) and hand on the features (B, C, h, w)."""
        features = levels[self.level]
        return Activation(lambda: features.float().norm(dim=1, keepdim=True), None, features)
