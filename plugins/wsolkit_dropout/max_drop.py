"""Max-drop: the strongest cell of a map, or the strongest channel of a cell, is dropped at random."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from wsolkit import MapModifier
from wsolkit.components import hide

__all__ = ["MaxDrop", "maxima"]

AXES = {"map": (2, 3), "cell": (1,)}
"""The axes that a maximum is taken over."""


def maxima(maps: Tensor, among: Literal["map", "cell"]) -> Tensor:
    """Return where the maxima of maps (B, C, h, w) are, (B, C, h, w) bool; of equal ones all.

    Args:
        maps: (B, C, h, w).
        among: ``map`` for the maximum of each map over its cells, ``cell`` for that of each cell over the channels.

    >>> maps = torch.tensor([[[[1.0, 5.0]], [[2.0, 3.0]]]])
    >>> maxima(maps, "map").int().tolist(), maxima(maps, "cell").int().tolist()
    ([[[[0, 1]], [[0, 1]]]], [[[[0, 1]], [[1, 0]]]])
    """
    return maps == maps.amax(AXES[among], keepdim=True)


class MaxDrop(MapModifier):
    """Drops the maximum of each map, or of each cell over the channels, at random (Park and Kwak, ACCV 2016).

    With ``among="map"`` every map of every image loses its strongest cell with probability ``drop_prob`` (feature-wise
    max-drop); with ``among="cell"`` every cell loses its strongest channel (channel-wise max-drop). Nothing is
    rescaled: the second strongest takes its place.

    Args:
        drop_prob: probability of a maximum to be dropped, in [0, 1].
        among: what a maximum is taken over: a ``map`` or a ``cell``.

    Raises:
        ConfigError: an argument is out of range.

    >>> MaxDrop(drop_prob=1.0)(torch.tensor([[[[1.0, 5.0]], [[2.0, 3.0]]]])).tolist()
    [[[[1.0, 0.0]], [[2.0, 0.0]]]]
    """

    def __init__(self, drop_prob: Annotated[float, "in [0, 1]"] = 0.5, among: Literal["map", "cell"] = "map") -> None:
        super().__init__()
        self.drop_prob = drop_prob
        self.among = among

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w) with some maxima at 0."""
        shape = [1 if axis in AXES[self.among] else size for axis, size in enumerate(maps.shape)]
        drawn = torch.rand(shape, device=maps.device) < self.drop_prob
        return hide(maps, ~(maxima(maps, self.among) & drawn))
