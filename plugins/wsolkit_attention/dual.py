"""Dual attention: every cell looks at all cells, and every channel at all channels."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from wsolkit import MapModifier, ShapeError
from wsolkit.components import attend

__all__ = ["DualAttention", "channel_attention"]

MOST_CELLS = 4096
"""Of a map whose cells look at each other: 64 x 64 of them make 16.8 million pairs for each image."""


def channel_attention(maps: Tensor) -> Tensor:
    """Return for each channel the mean of all channels, weighted by softmax over i of A_i . A_j (equations 3 and 4).

    Args:
        maps: (B, C, h, w).

    Returns:
        (B, C, h, w).

    >>> channel_attention(torch.tensor([[[[0.0]], [[0.0]], [[0.0]]]])).flatten().tolist()
    [0.0, 0.0, 0.0]
    """
    cells = maps.flatten(2)
    pairs = torch.einsum("bjn,bin->bji", cells.float(), cells.float())
    shares = pairs.softmax(2).to(maps.dtype)  # (B, C, C)
    return torch.einsum("bji,bin->bjn", shares, cells).view_as(maps)


class DualAttention(MapModifier):
    """Adds what other cells and other channels of the image say (Fu et al., CVPR 2019, equations 1 to 4).

    Queries, keys and values of the cells are 1 x 1 convolutions; channels are compared as they are. Both are added with
    learnt scales that are 0 at first, so it starts as the identity: F + alpha P + beta Q.

    Args:
        channels: channels at its place; given by the model.
        reduction: how many times narrower queries and keys are than the maps.

    Raises:
        ConfigError: an argument is out of range.
        ShapeError: the maps have more than 4096 cells, of which every pair would be compared.

    >>> block, maps = DualAttention(channels=16), torch.rand(2, 16, 4, 4)
    >>> torch.equal(block(maps), maps)
    True
    """

    train_only: ClassVar[bool] = False

    def __init__(self, channels: int, reduction: Annotated[int, "at least 1"] = 8) -> None:
        super().__init__()
        narrow = max(channels // reduction, 1)
        self.queries = nn.Conv2d(channels, narrow, 1)
        self.keys = nn.Conv2d(channels, narrow, 1)
        self.values = nn.Conv2d(channels, channels, 1)
        self.alpha = nn.Parameter(torch.zeros(()))
        self.beta = nn.Parameter(torch.zeros(()))

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w) with what other cells and channels add."""
        cells = maps.shape[2] * maps.shape[3]
        if cells > MOST_CELLS:
            raise ShapeError(
                f"DualAttention compares every pair of cells, but the maps have {maps.shape[2]} x {maps.shape[3]} of "
                f"them, more than {MOST_CELLS}. Put it behind a deeper module, whose maps are smaller.",
                about=type(self).__name__,
            )
        self.note(alpha=self.alpha, beta=self.beta)
        positions = attend(self.queries(maps), self.keys(maps), self.values(maps))
        return maps + self.alpha.to(maps.dtype) * positions + self.beta.to(maps.dtype) * channel_attention(maps)
