"""The decoder of F-CAM: from the levels of a backbone, deep to shallow, to a fine foreground map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from wsolkit import Activation, ActivationHead, Batch, ConfigError, Levels
from wsolkit.components import choose_level

__all__ = ["PIXEL_LOGITS", "PixelDecoder"]

PIXEL_LOGITS = "pixel_logits"
BACKGROUND, FOREGROUND = 0, 1


def merge(width: int, skipped: int) -> nn.Sequential:
    """Return the convolution that joins the maps of two levels."""
    convolution = nn.Conv2d(width + skipped, width, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU())


class PixelDecoder(ActivationHead):
    """Decodes the levels of a backbone to one foreground map, and classifies the deepest level (F-CAM, section 3).

    As in a U-Net the deepest level is resized to the next shallower one, joined with it by a convolution, and so on.
    ``Activation.maps`` is the probability of the foreground (B, 1, h, w), one map for all classes, at the size of the
    shallowest level; ``extras["pixel_logits"]`` (B, 2, h, w) are the logits of background and foreground.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K; filled in from the data.
        levels: names of the levels, shallow to deep; all of the backbone's by default.
        width: channels of the decoder.

    Raises:
        ConfigError: the backbone lacks a level.

    >>> head = PixelDecoder({"layer1": 4, "layer4": 8}, num_classes=3, width=6).eval()
    >>> found = head({"layer1": torch.rand(2, 4, 8, 8), "layer4": torch.rand(2, 8, 2, 2)})
    >>> found.maps.shape, found.logits.shape, found.extras["pixel_logits"].shape
    (torch.Size([2, 1, 8, 8]), torch.Size([2, 3]), torch.Size([2, 2, 8, 8]))
    """

    gives: ClassVar = {PIXEL_LOGITS: {}}

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        levels: Sequence[str] | None = None,
        width: Annotated[int, "at least 1"] = 64,
    ) -> None:
        super().__init__()
        if levels is not None and (isinstance(levels, str) or not levels):
            raise ConfigError(f"levels of PixelDecoder should be a list of names of levels, but got {levels!r}.")
        self.levels = [choose_level(channels, name) for name in (channels if levels is None else levels)]
        self.deepest = nn.Conv2d(channels[self.levels[-1]], width, 1)
        self.merges = nn.ModuleList(merge(width, channels[name]) for name in reversed(self.levels[:-1]))
        self.pixels = nn.Conv2d(width, 2, 1)
        self.classifier = nn.Linear(channels[self.levels[-1]], num_classes)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make the foreground map (B, 1, h, w) and logits (B, K)."""
        features = levels[self.levels[-1]]
        maps = F.relu(self.deepest(features))
        for name, joined in zip(reversed(self.levels[:-1]), self.merges, strict=True):
            size = levels[name].shape[-2:]
            maps = F.interpolate(maps, size=size, mode="bilinear", align_corners=False)
            maps = joined(torch.cat([maps, levels[name]], 1))
        found = self.pixels(maps).float()
        foreground = found.softmax(1)[:, FOREGROUND:]
        return Activation(foreground, self.classifier(features.float().mean((2, 3))), features, {PIXEL_LOGITS: found})
