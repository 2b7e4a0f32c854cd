"""Hiding cells of maps, and the regularisers that drop single cells, regions or whole channels."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from wsolkit.errors import ConfigError
from wsolkit.interfaces import MapModifier

__all__ = ["DropBlock", "Dropout", "SpatialDropout", "drop_block_mask", "hide", "seed_rate", "spare_whole"]


def hide(maps: Tensor, keep: Tensor, rescale: Literal["image", "batch"] | None = None) -> Tensor:
    """Return maps with the cells at 0 that are not kept.

    Args:
        maps: (B, C, h, w).
        keep: bool, (B, h, w) for all channels alike, or (B, 1 or C, h, w); True where a cell is kept.
        rescale: scale what is kept by the number of cells over that of the kept ones: of each ``image`` for itself, or
            of the whole ``batch``. Where nothing is kept, that counts as one cell.

    Raises:
        ConfigError: ``rescale`` is something else.

    >>> maps, keep = torch.ones(2, 1, 1, 2), torch.tensor([[[True, False]], [[True, True]]])
    >>> [hide(maps, keep, how).flatten().tolist() for how in (None, "image")]
    [[1.0, 0.0, 1.0, 1.0], [2.0, 0.0, 1.0, 1.0]]
    """
    keep = keep[:, None] if keep.ndim == 3 else keep
    mask = keep.to(maps.dtype)
    if rescale is None:
        return maps * mask
    if rescale == "image":
        kept = keep.sum((1, 2, 3)).clamp(min=1)
        return maps * (mask * (keep[0].numel() / kept)[:, None, None, None].to(maps.dtype))
    if rescale == "batch":
        share = mask.float().mean().clamp(min=1 / mask.numel())
        return maps * mask / share.to(maps.dtype)
    raise ConfigError(f"rescale should be 'image', 'batch' or None, but got {rescale!r}.")


def spare_whole(keep: Tensor) -> Tensor:
    """Return what is kept, and all of an image of which nothing would be left: it would teach nothing.

    Args:
        keep: bool, (B, h, w), True where a cell is kept.

    >>> spare_whole(torch.tensor([[[True, False]], [[False, False]]])).tolist()
    [[[True, False]], [[True, True]]]
    """
    return keep | ~keep.any(2).any(1)[:, None, None]


class DropBlock(MapModifier):
    """Drops square blocks of a feature map (Ghiasi et al., DropBlock, NeurIPS 2018).

    Seeds are drawn with a small probability, each seed drops a block, and what is kept is scaled by the number of cells
    over the number of kept ones. Two conventions are in use:

    - ``seeds="inside"``, as the paper: blocks lie inside the map whole, and the seeds' probability makes up for the
      positions that leaves out, drop_prob / size^2 * h * w / ((h - size + 1) * (w - size + 1));
    - ``seeds="anywhere"``, as several public codes: blocks are centred on any cell and cut off at the border, and the
      probability is drop_prob / size^2.

    Blocks larger than the map are cut to it.

    Args:
        drop_prob: the part of cells to drop, in [0, 1); overlapping blocks drop somewhat less.
        block_size: side of a block in cells.
        per_channel: draw blocks for every channel by itself, which the paper found better, or one set per image.
        seeds: "inside" or "anywhere".

    Raises:
        ConfigError: an argument is out of range.

    >>> modifier = DropBlock(drop_prob=0.3, block_size=3)
    >>> maps = torch.ones(2, 4, 14, 14)
    >>> modifier(maps).shape, torch.equal(modifier.eval()(maps), maps)
    (torch.Size([2, 4, 14, 14]), True)
    """

    def __init__(
        self,
        drop_prob: Annotated[float, "in [0, 1)"] = 0.1,
        block_size: Annotated[int, "at least 1"] = 7,
        per_channel: bool = True,
        seeds: Literal["inside", "anywhere"] = "inside",
    ) -> None:
        super().__init__()
        self.drop_prob = drop_prob
        self.block_size = block_size
        self.per_channel = per_channel
        self.seeds = seeds

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w) with blocks at 0 and the rest scaled up."""
        batch, channels, height, width = maps.shape
        inside = self.seeds == "inside"
        rate = seed_rate(self.drop_prob, self.block_size, (height, width), inside)
        rows, columns = (height, width)
        if inside:
            rows, columns = (max(side - self.block_size, 0) + 1 for side in (height, width))
        seeds = torch.rand(batch, channels if self.per_channel else 1, rows, columns, device=maps.device) < rate
        keep = drop_block_mask(seeds, self.block_size, (height, width))
        self.note(dropped=1 - keep.float().mean())
        return hide(maps, keep, rescale="batch")


class Dropout(MapModifier):
    """Drops cells of channels, each by itself, and scales the others by 1 / (1 - drop_prob) (Srivastava et al. 2014).

    Args:
        drop_prob: probability of a cell of a channel to be dropped, in [0, 1).

    Raises:
        ConfigError: the probability is out of range.

    >>> found = Dropout(drop_prob=0.5)(torch.ones(1, 8, 4, 4))
    >>> sorted(set(found.flatten().tolist()))
    [0.0, 2.0]
    """

    def __init__(self, drop_prob: Annotated[float, "in [0, 1)"] = 0.5) -> None:
        super().__init__()
        self.drop_prob = drop_prob

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w) with some cells at 0."""
        return F.dropout(maps, self.drop_prob, training=True)


class SpatialDropout(MapModifier):
    """Drops whole channels and scales the others by 1 / (1 - drop_prob) (Tompson et al., CVPR 2015).

    Args:
        drop_prob: probability of a channel to be dropped, in [0, 1).

    Raises:
        ConfigError: the probability is out of range.
    """

    train_only: ClassVar[bool] = True

    def __init__(self, drop_prob: Annotated[float, "in [0, 1)"] = 0.5) -> None:
        super().__init__()
        self.drop_prob = drop_prob

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w) with some channels at 0."""
        return F.dropout2d(maps, self.drop_prob, training=True)


def seed_rate(drop_prob: float, block_size: int, size: tuple[int, int], inside: bool = True) -> float:
    """Return the probability of a position to be the seed of a block, in [0, 1].

    Args:
        drop_prob: the part of cells to drop.
        block_size: side of a block in cells, cut to the map's sides.
        size: (h, w) of the map.
        inside: whether seeds only lie where the block fits into the map.

    >>> seed_rate(0.1, 7, (14, 14), inside=False) == 0.1 / 49
    True
    >>> round(seed_rate(0.1, 7, (14, 14)), 5)
    0.00625
    """
    rate = drop_prob
    for side in size:
        block = min(block_size, side)
        rate /= block
        if inside:
            rate *= side / (side - block + 1)
    return min(rate, 1.0)


def drop_block_mask(seeds: Tensor, block_size: int, size: tuple[int, int]) -> Tensor:
    """Grow seeds to blocks and return what is kept.

    Args:
        seeds: bool, (B, C, h', w'). Along a side where h' is the map's h, a block is centred on its seed (half a cell
            up and left for even blocks) and cut off at the border; where it is h - block + 1, the seed is the block's
            first cell.
        block_size: side of a block in cells, cut to the map's sides.
        size: (h, w) of the map.

    Returns:
        bool, (B, C, h, w), True where a cell is kept.

    >>> seeds = torch.tensor([[[[False, True, False]]]])
    >>> drop_block_mask(seeds, 2, (1, 4)).int().tolist()
    [[[[1, 0, 0, 1]]]]
    """
    blocks = [min(block_size, side) for side in size]
    padding: list[int] = []
    for side, block, positions in zip(size[::-1], blocks[::-1], seeds.shape[:-3:-1], strict=True):
        before = block - 1 if positions == side - block + 1 else (block - 1) // 2
        padding += [before, side + block - 1 - positions - before]
    covered = F.max_pool2d(F.pad(seeds.float(), padding), blocks, stride=1)
    return covered == 0
