"""Blocks that multiply features by a gate in (0, 1): squeeze and excitation, and CBAM; timm has the blocks."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from timm.layers import SEModule
from timm.layers.cbam import CbamModule
from torch import Tensor, nn

from wsolkit import MapModifier

__all__ = ["CBAM", "Gate", "SqueezeExcite"]

Start = Literal["identity", "paper"]


class Gate(MapModifier):
    """A block that gates features, in training and in evaluation.

    Behind a module with pretrained weights a fresh gate halves the features that later modules know. So it starts as
    the identity: F + scale (block(F) - F) with a learnt scale that is 0 at first; ``start="paper"`` is the block alone.

    Args:
        block: the block, (B, C, h, w) to (B, C, h, w).
        start: ``identity`` or ``paper``.
    """

    train_only: ClassVar[bool] = False

    def __init__(self, block: nn.Module, start: Start = "identity") -> None:
        super().__init__()
        self.block = block
        self.scale = nn.Parameter(torch.zeros(())) if start == "identity" else None

    def modify(self, maps: Tensor) -> Tensor:
        """Return gated maps (B, C, h, w)."""
        gated: Tensor = self.block(maps)
        if self.scale is None:
            return gated
        self.note(scale=self.scale)
        return maps + self.scale.to(maps.dtype) * (gated - maps)


class SqueezeExcite(Gate):
    """Weights each channel by what all channels say of the whole image (Hu et al., CVPR 2018, equations 2 to 4).

    Channels are averaged over the map; two layers with a ReLU between and a sigmoid behind make one weight for each.

    Args:
        channels: channels at its place; given by the model.
        reduction: r, by which the hidden layer is narrower (timm rounds its width to a multiple of 8).
        start: ``identity`` or ``paper``; see ``Gate``.

    Raises:
        ConfigError: an argument is out of range.

    >>> block, maps = SqueezeExcite(channels=32), torch.rand(2, 32, 4, 4)
    >>> torch.equal(block(maps), maps)
    True
    """

    def __init__(self, channels: int, reduction: Annotated[int, "at least 1"] = 16, start: Start = "identity") -> None:
        super().__init__(SEModule(channels, rd_ratio=1 / reduction), start)


class CBAM(Gate):
    """Weights each channel, then each cell, by averages and maxima (Woo et al., ECCV 2018, equations 1 to 3).

    Args:
        channels: channels at its place; given by the model.
        reduction: r, by which the hidden layer of the channels' weights is narrower.
        kernel: cells of a side of the convolution that weights cells; odd.
        start: ``identity`` or ``paper``; see ``Gate``.

    Raises:
        ConfigError: an argument is out of range.

    >>> block, maps = CBAM(channels=32), torch.rand(2, 32, 4, 4)
    >>> torch.equal(block(maps), maps)
    True
    """

    def __init__(
        self,
        channels: int,
        reduction: Annotated[int, "at least 1"] = 16,
        kernel: Literal[3, 5, 7, 9] = 7,
        start: Start = "identity",
    ) -> None:
        hidden = max(channels // reduction, 1)  # of few channels, such as those of an image, something is left
        super().__init__(CbamModule(channels, rd_channels=hidden, spatial_kernel_size=kernel), start)
