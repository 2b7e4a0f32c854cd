"""The parts of PoolNet: pyramid pooling that sees the whole image, and feature aggregation at several scales."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["FeatureAggregation", "PyramidPooling", "resize_to"]


def resize_to(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Return maps (B, C, h, w) at ``size`` = (height, width), bilinear.

    >>> resize_to(torch.ones(1, 2, 3, 3), (6, 5)).shape
    torch.Size([1, 2, 6, 5])
    """
    if tuple(maps.shape[-2:]) == tuple(size):
        return maps
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)


class PyramidPooling(nn.Module):
    """Puts averages over grids of the whole map beside the map and fuses them.

    The global guidance of Liu et al. (CVPR 2019, 3.1): the map as it is, and its averages over 1 x 1, 3 x 3 and 5 x 5
    cells, each convolved 1 x 1 and resized back; a 3 x 3 convolution of all of them.

    Args:
        channels: channels in.
        width: channels out.
        bins: cells along each side of the grids.

    >>> PyramidPooling(8, 4)(torch.rand(1, 8, 7, 5)).shape
    torch.Size([1, 4, 7, 5])
    """

    def __init__(self, channels: int, width: int, bins: Sequence[int] = (1, 3, 5)) -> None:
        super().__init__()
        self.bins = tuple(bins)
        self.whole = nn.Conv2d(channels, width, 1, bias=False)
        self.branches = nn.ModuleList(nn.Conv2d(channels, width, 1, bias=False) for _ in self.bins)
        self.fuse = nn.Conv2d(width * (len(self.bins) + 1), width, 3, padding=1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, C, h, w) to (B, width, h, w)."""
        size = maps.shape[-2:]
        seen = [F.relu(self.whole(maps))]
        for cells, branch in zip(self.bins, self.branches, strict=True):
            seen.append(resize_to(F.relu(branch(F.adaptive_avg_pool2d(maps, cells))), size))
        return F.relu(self.fuse(torch.cat(seen, dim=1)))


class FeatureAggregation(nn.Module):
    """Looks at a map at several scales and adds up what it sees.

    The feature aggregation module of Liu et al. (CVPR 2019, 3.2): averages over 2 x 2, 4 x 4 and 8 x 8 cells are
    convolved 3 x 3 and resized back; the sum of these and of the map itself is convolved 3 x 3. Rates larger than the
    map are left out of the sum.

    Args:
        width: channels in and out.
        rates: sides of the averaged squares, in cells.

    >>> FeatureAggregation(4)(torch.rand(1, 4, 9, 6)).shape
    torch.Size([1, 4, 9, 6])
    """

    def __init__(self, width: int, rates: Sequence[int] = (2, 4, 8)) -> None:
        super().__init__()
        self.rates = tuple(rates)
        self.branches = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in self.rates)
        self.fuse = nn.Conv2d(width, width, 3, padding=1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, width, h, w) to the same shape."""
        total = maps
        for rate, branch in zip(self.rates, self.branches, strict=True):
            if min(maps.shape[-2:]) >= rate:
                total = total + resize_to(branch(F.avg_pool2d(maps, rate)), maps.shape[-2:])
        return self.fuse(F.relu(total))
