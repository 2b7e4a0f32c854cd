"""A linear classifier over pooled features, whose weights recombine the features into class maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from wsolkit.heads.levels import choose_level
from wsolkit.interfaces import Activation, ActivationHead, Batch, Levels
from wsolkit.registry import POOLINGS

__all__ = ["LinearHead", "recombine"]


def recombine(features: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Weigh features (B, C, h, w) by a classifier's weights (K, C) into maps (B, K, h, w) (Zhou et al. 2016, eq. 2).

    With average pooling, the mean of map k is the logit of class k.

    >>> features = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
    >>> recombine(features, torch.tensor([[1.0, -1.0]])).tolist()
    [[[[-2.0, 2.0]]]]
    """
    return nn.functional.conv2d(features, weight[:, :, None, None].to(features.dtype), bias)


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

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
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

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) and logits (B, K)."""
        features = levels[self.level]
        with torch.autocast(features.device.type, enabled=False):  # a classifier costs nothing, and its scores rank
            logits = self.classifier(self.dropout(self.pooling(features.float())))
        return Activation(lambda: self.class_maps(features), logits, features)

    def class_maps(self, features: Tensor) -> Tensor:
        """Return the maps (B, K, h, w) of features (B, C, h, w), in float32."""
        with torch.autocast(features.device.type, enabled=False):
            return recombine(features.float(), self.classifier.weight, self.classifier.bias)
