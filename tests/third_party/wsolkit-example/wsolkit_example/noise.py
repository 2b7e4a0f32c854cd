"""A modifier that scales every channel by its own random factor."""

from __future__ import annotations

import torch
from torch import Tensor

from wsolkit import ConfigError, MapModifier

__all__ = ["ChannelNoise", "scale_channels"]


def scale_channels(maps: Tensor, factors: Tensor) -> Tensor:
    """Multiply maps (B, C, h, w) by one factor per image and channel, (B, C).

    >>> scale_channels(torch.ones(1, 2, 1, 1), torch.tensor([[2.0, 3.0]])).flatten().tolist()
    [2.0, 3.0]
    """
    return maps * factors[:, :, None, None]


class ChannelNoise(MapModifier):
    """Scales every channel by a random factor around 1, in training only.

    Args:
        spread: the factors lie in [1 - spread, 1 + spread].

    Raises:
        ConfigError: ``spread`` does not lie in [0, 1].
    """

    def __init__(self, spread: float = 0.1) -> None:
        super().__init__()
        if not 0 <= spread <= 1:
            raise ConfigError(f"The spread of ChannelNoise should lie in [0, 1], but got {spread}. Try 0.1.")
        self.spread = spread

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape (B, C, h, w)."""
        noise = torch.rand(maps.shape[:2], device=maps.device, dtype=maps.dtype)
        return scale_channels(maps, 1 + self.spread * (2 * noise - 1))
