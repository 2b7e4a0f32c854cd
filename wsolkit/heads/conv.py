"""Class maps by a 1x1 convolution, pooled to logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from wsolkit.errors import ConfigError
from wsolkit.heads.levels import choose_level
from wsolkit.interfaces import Activation, ActivationHead, Batch, Levels
from wsolkit.registry import POOLINGS

__all__ = ["ConvHead"]


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
    """

    takes_map_modifiers = True

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        pooling: Any = None,
        level: str | None = None,
        maps_per_class: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if maps_per_class < 1:
            raise ConfigError(f"maps_per_class should be at least 1, but got {maps_per_class}.")
        self.level = choose_level(channels, level)
        self.maps_per_class = maps_per_class
        self.pooling = POOLINGS.build(pooling or {"type": "AveragePooling"})
        self.classifier = nn.Conv2d(channels[self.level], num_classes * maps_per_class, 1, bias=bias)
        nn.init.normal_(self.classifier.weight, std=0.01)
        if self.classifier.bias is not None:
            nn.init.zeros_(self.classifier.bias)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) and logits (B, K)."""
        features = levels[self.level]
        every = self.classifier(features)  # (B, K*M, h, w)
        maps = self.map_modifiers(every).float()  # averaged and pooled in bf16, scores of many images would tie
        extras = {}
        if self.maps_per_class > 1:
            extras["maps_per_class"] = every.unflatten(1, (-1, self.maps_per_class))
            maps = maps.unflatten(1, (-1, self.maps_per_class)).mean(2)  # (B, K, h, w)
        return Activation(maps, self.pooling(maps), features, extras)
