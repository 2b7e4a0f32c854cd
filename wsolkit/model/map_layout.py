"""What modules give as maps: (B, C, h, w), channels last (B, h, w, C) as in Swin, tokens (B, P + h * w, C) of ViT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from wsolkit.errors import ShapeError
from wsolkit.interfaces import Backbone

__all__ = ["MapLayout", "cells", "layout_of"]

MOST_PREFIX_TOKENS = 16
"""Class, distillation and register tokens that a map of tokens may have before it."""


@dataclass(frozen=True)
class MapLayout:
    """How the output of a module is a map.

    Attributes:
        channels: its channels.
        kind: ``first`` for (B, C, h, w), ``last`` for (B, h, w, C), ``tokens`` for (B, P + h * w, C).
        stride: pixels per cell; 0 for maps with their channels first, where nobody asks.
    """

    channels: int
    kind: str = "first"
    stride: int = 0

    def to_maps(self, output: Tensor, size: Sequence[int]) -> Tensor:
        """Return the maps (B, C, h, w) of an output, a view of it where possible.

        Args:
            output: what the module gives, or its gradient.
            size: (H, W) of the images.

        >>> MapLayout(8, "tokens", 16).to_maps(torch.zeros(2, 1 + 6, 8), (32, 48)).shape
        torch.Size([2, 8, 2, 3])
        """
        if self.kind == "first":
            return output
        if self.kind == "last":
            return output.permute(0, 3, 1, 2)
        height, width = cells(size, self.stride)
        return output[:, self._prefix(output, size) :].transpose(1, 2).unflatten(2, (height, width))

    def from_maps(self, maps: Tensor, output: Tensor, size: Sequence[int]) -> Tensor:
        """Return an output with other maps (B, C, h, w) in it; prefix tokens stay those of ``output``."""
        if self.kind == "first":
            return maps
        if self.kind == "last":
            return maps.permute(0, 2, 3, 1)
        tokens = maps.flatten(2).transpose(1, 2)
        prefix = self._prefix(output, size)
        return torch.cat([output[:, :prefix], tokens], dim=1) if prefix else tokens

    def _prefix(self, output: Tensor, size: Sequence[int]) -> int:
        height, width = cells(size, self.stride)
        prefix = int(output.shape[1]) - height * width
        if prefix < 0:
            raise ShapeError(f"{output.shape[1]} tokens are too few for a map of {height} x {width} cells.")
        return prefix


def layout_of(backbone: Backbone, at: str, output: Any, size: Sequence[int], part: str) -> MapLayout:
    """Tell how the output of a module is a map.

    Args:
        backbone: the backbone that the module is in.
        at: the module's name, for the words.
        output: what it gave.
        size: (H, W) of the images it was given for.
        part: what asks for maps, for the words.

    Raises:
        ShapeError: the output is no map.
    """
    strides = dict.fromkeys((*backbone.strides.values(), 4, 8, 16, 32, 64))  # shallower ones may be no level
    grids = {stride: cells(size, stride) for stride in strides}
    if isinstance(output, Tensor) and output.ndim == 4:
        last = [stride for stride, grid in grids.items() if tuple(output.shape[1:3]) == grid]
        first = tuple(output.shape[2:]) in grids.values()
        if last and not first:
            return MapLayout(int(output.shape[3]), "last", last[0])
        return MapLayout(int(output.shape[1]))
    if isinstance(output, Tensor) and output.ndim == 3:
        for stride, (height, width) in grids.items():
            if 0 <= output.shape[1] - height * width <= MOST_PREFIX_TOKENS:
                return MapLayout(int(output.shape[2]), "tokens", stride)
    batch = len(output) if isinstance(output, Tensor) and output.ndim else 1
    given = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    raise ShapeError(
        f"{part} behind {at!r} needs maps (B, C, h, w), (B, h, w, C) or tokens (B, P + h * w, C), but for images "
        f"{(batch, 3, *size)} that module gives {given}. Put it behind a module that gives maps."
    )


def cells(size: Sequence[int], stride: int) -> tuple[int, int]:
    """Return the (h, w) of maps of this stride of images of a size (H, W), parts of cells counted.

    >>> cells((224, 100), 32)
    (7, 4)
    """
    height, width = size
    return -(-height // stride), -(-width // stride)
