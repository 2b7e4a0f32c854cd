"""Every cell of a map looks at every other."""

from __future__ import annotations

from typing import Annotated, ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from wsolkit import MapModifier
from wsolkit.components import attend

__all__ = ["NonLocal"]


class NonLocal(MapModifier):
    """Adds to each cell what it finds in all others that are like it: the non-local block (Wang et al., CVPR 2018).

    z = x + norm(W y), with y the mean of g(x) over all cells, weighed by a softmax of theta(x) phi(x); theta, phi, g
    and W are 1 x 1 convolutions. The norm's scale begins at 0, so that a trained network begins as it was. It belongs
    to the network, in training and at prediction, and learns as the backbone does.

    Args:
        channels: channels at its place; filled in.
        inner: channels of theta, phi and g; half of ``channels`` by default.
        pool: answer from the maxima of squares of this many cells a side, which saves memory; 1 for all cells.

    Raises:
        ConfigError: a number is too small.

    >>> import torch
    >>> block = NonLocal(channels=4)
    >>> maps = torch.rand(2, 4, 6, 6)
    >>> torch.equal(block(maps), maps)
    True
    """

    train_only: ClassVar[bool] = False

    def __init__(
        self,
        channels: Annotated[int, "at least 1"],
        inner: Annotated[int, "at least 1"] | None = None,
        pool: Annotated[int, "at least 1"] = 2,
    ) -> None:
        super().__init__()
        width = inner or max(channels // 2, 1)
        self.theta = nn.Conv2d(channels, width, 1)
        self.phi = nn.Conv2d(channels, width, 1)
        self.g = nn.Conv2d(channels, width, 1)
        self.out = nn.Conv2d(width, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)
        self.pool = pool

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape (B, C, h, w)."""
        side = (min(self.pool, maps.shape[2]), min(self.pool, maps.shape[3]))
        seen = F.max_pool2d(maps, side) if self.pool > 1 else maps
        found: Tensor = self.norm(self.out(attend(self.theta(maps), self.phi(seen), self.g(seen))))
        return maps + found
