"""Which levels of the backbone a head reads, one or several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit.errors import ConfigError, nearest
from wsolkit.interfaces import Levels

__all__ = ["choose_level", "concat_levels"]


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
