"""A plugin for wsolkit: smoother maps by a loss, sturdier ones by noise."""

import wsolkit
from wsolkit_example.noise import ChannelNoise
from wsolkit_example.smoothness import TotalVariation

__all__ = ["ChannelNoise", "TotalVariation"]


@wsolkit.hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [TotalVariation, ChannelNoise]
