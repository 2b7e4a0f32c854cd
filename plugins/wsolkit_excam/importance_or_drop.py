"""Each map is weighted by its importance or loses its important cells, at random."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from torch import Tensor

from wsolkit import MapModifier

__all__ = ["ImportanceOrDrop"]

SIZES = {"map": (0, 1), "image": (0,), "batch": ()}
"""The axes along which there is a draw of its own."""


class ImportanceOrDrop(MapModifier):
    """Weights a map by its importance sigmoid(U), or drops its important cells, at random (ex-CAM, section 3.8.3).

    This is ADL's choice on the maps of WILDCAT: ``dict(type="ImportanceOrDrop", at="maps")``.

    Args:
        threshold: of the importance, in (0, 1); cells from it on are dropped.
        drop_prob: probability of dropping, in [0, 1]; else the map is weighted.
        per: one draw for each ``map`` of each image, for each ``image``, or for the ``batch``.

    Raises:
        ConfigError: an argument is out of range.

    >>> maps = torch.tensor([[[[1.0, -1.0]]]])
    >>> ImportanceOrDrop(drop_prob=1)(maps).tolist()
    [[[[0.0, -1.0]]]]
    """

    def __init__(
        self,
        threshold: Annotated[float, "in (0, 1)"] = 0.5,
        drop_prob: Annotated[float, "in [0, 1]"] = 0.5,
        per: Literal["map", "image", "batch"] = "map",
    ) -> None:
        super().__init__()
        self.threshold = threshold
        self.drop_prob = drop_prob
        self.per = per

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w), each weighted or with cells at 0."""
        size = [maps.shape[axis] if axis in SIZES[self.per] else 1 for axis in range(4)]
        drop = torch.rand(size, device=maps.device) < self.drop_prob
        lost = (maps.detach() >= math.log(self.threshold / (1 - self.threshold))) & drop
        self.note(dropped=lost.mean(dtype=torch.float32))
        return torch.where(drop, maps, maps * torch.sigmoid(maps)).masked_fill(lost, 0)
