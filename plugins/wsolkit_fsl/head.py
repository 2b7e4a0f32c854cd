"""The head of the few-shot baseline: one 1 x 1 convolution that tells the foreground cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from wsolkit import Activation, ActivationHead, Batch, Levels
from wsolkit.components import choose_level

__all__ = ["ForegroundHead"]


class ForegroundHead(ActivationHead):
    """Makes one map for all classes, the probability of each cell to be foreground (Choe et al., CVPR 2020).

    The last layer of a fully convolutional network is a 1 x 1 convolution with a sigmoid. It classifies nothing:
    ``Activation.logits`` is None; ``extras["foreground"]`` (B, 1, h, w) are the logits of the map.

    Args:
        channels: channels of the backbone's levels, by name.
        level: name of the level; the deepest by default.

    Raises:
        ConfigError: the backbone lacks the level.

    >>> import torch
    >>> activation = ForegroundHead({"layer4": 8})({"layer4": torch.zeros(2, 8, 3, 3)})
    >>> activation.maps.shape, activation.class_agnostic
    (torch.Size([2, 1, 3, 3]), True)
    """

    gives: ClassVar = {"foreground": {}}

    def __init__(self, channels: Mapping[str, int], level: str | None = None) -> None:
        super().__init__()
        self.level = choose_level(channels, level)
        self.foreground = nn.Conv2d(channels[self.level], 1, 1)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make the map of the level."""
        features = levels[self.level]  # (B, C, h, w)
        logits = self.foreground(features).float()
        return Activation(logits.sigmoid(), features=features, extras={"foreground": logits})
