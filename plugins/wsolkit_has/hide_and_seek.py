"""The modifier of Hide-and-Seek, on the input images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from wsolkit import ConfigError, MapModifier

__all__ = ["HideAndSeek", "grid_mask"]


def grid_mask(hidden: Tensor, cell: int, size: tuple[int, int]) -> Tensor:
    """Return which pixels of an image are hidden, (H, W) bool; cells at the right and the lower border are cut off.

    Args:
        hidden: (rows, columns) bool, which cells of the grid are.
        cell: side of a cell in pixels.
        size: (H, W) of the image; the grid covers it.

    >>> grid_mask(torch.tensor([[False, True]]), 2, (1, 3)).tolist()
    [[False, False, True]]
    """
    return hidden.repeat_interleave(cell, 0).repeat_interleave(cell, 1)[: size[0], : size[1]]


class HideAndSeek(MapModifier):
    """Hides random cells of a grid over each training image (Singh and Lee, ICCV 2017), so that all parts are learned.

    A size of the cells is drawn for each image, then each cell is hidden by itself. Hidden pixels are 0 after the
    images are normalised: the mean by which ``data_preprocessor`` normalises, which the paper fills in. Evaluation sees
    whole images.

    Args:
        sizes: sides of the cells in pixels, one of which is drawn for each image; 0 hides nothing. The paper's for
            images of 224 pixels; (4,) as wsolevaluation.
        hide_prob: how likely a cell is hidden.

    Raises:
        ConfigError: there are no sizes, or one is below 0.
    """

    only_at = "image"

    def __init__(
        self, sizes: Sequence[int] = (0, 16, 32, 44, 56), hide_prob: Annotated[float, "in [0, 1]"] = 0.5
    ) -> None:
        super().__init__()
        if not sizes or min(sizes) < 0:
            raise ConfigError(f"sizes of HideAndSeek should be pixels of at least 0, but got {sizes!r}. Try (4,).")
        self.sizes = tuple(sizes)
        self.hide_prob = hide_prob

    def modify(self, maps: Tensor) -> Tensor:
        """Return images (B, 3, H, W) with cells set to 0."""
        hidden = torch.stack([self.drawn(maps.shape[-2:]) for _ in range(len(maps))])[:, None]  # (B, 1, H, W)
        self.note(hidden=hidden.float().mean())
        return maps.masked_fill(hidden.to(maps.device), 0)

    def drawn(self, size: Sequence[int]) -> Tensor:
        """Return which pixels of one image are hidden, (H, W) bool."""
        height, width = size
        cell = self.sizes[int(torch.randint(len(self.sizes), ()))]
        if not cell:
            return torch.zeros(height, width, dtype=torch.bool)
        return grid_mask(torch.rand(-(-height // cell), -(-width // cell)) < self.hide_prob, cell, (height, width))
