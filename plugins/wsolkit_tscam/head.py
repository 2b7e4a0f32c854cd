"""TS-CAM's head: what the patches say of each class, times where the class token looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from wsolkit import Activation, ActivationHead, Batch, ConfigError, Levels, ShapeError
from wsolkit.components import choose_level

__all__ = ["TSCAMHead", "attention_to_cells"]

SUFFIX = ".attention"


def attention_to_cells(attention: Sequence[Tensor], grid: tuple[int, int]) -> Tensor:
    """Return how much the class token looks at each cell, averaged over heads and blocks (TS-CAM, eq. 4 and 5).

    Args:
        attention: of each block, (B, heads, n, n) after the softmax; the class token is the first, the cells the last.
        grid: (h, w), h * w cells.

    Returns:
        (B, 1, h, w), float32.

    Raises:
        ShapeError: there are fewer tokens than cells.

    >>> rows = torch.tensor([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    >>> attention_to_cells([rows[None, None]], (1, 2)).tolist()
    [[[[0.5, 0.30000001192092896]]]]
    """
    cells = grid[0] * grid[1]
    tokens = attention[0].shape[-1]
    if tokens < cells + 1:
        raise ShapeError(f"{tokens} tokens are too few for a class token and a map of {grid[0]} x {grid[1]} cells.")
    rows = [each[:, :, 0, tokens - cells :].float().mean(1) for each in attention]
    return torch.stack(rows).mean(0).unflatten(1, grid)[:, None]


class TSCAMHead(ActivationHead):
    """Makes class maps of the patch tokens by a convolution; the class token's attention says where they hold (TS-CAM).

    The logits are the means of the convolution's maps, so that the attention is only looked at where maps are made. It
    needs a transformer of which the attention of blocks is asked for:

        backbone=dict(
            type="TimmBackbone", name="deit_small_patch16_224",
            levels=[*(f"blocks.{block}.attention" for block in range(12)), "final"],
        )

    Extras: ``semantic`` (B, K, h, w), the convolution's maps; the maps are these times the attention.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        level: the patch tokens, the deepest level by default.
        kernel_size: of the convolution; the paper's is 3.
        bias: whether the convolution has a bias.

    Raises:
        ConfigError: the backbone gives no attention.
    """

    takes_map_modifiers = True

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        level: str | None = None,
        kernel_size: Literal[1, 3, 5] = 3,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.attention = [name for name in channels if name.endswith(SUFFIX)]
        if not self.attention:
            raise ConfigError(
                f"TSCAMHead needs to know where a class token looks, but the backbone gives {', '.join(channels)} "
                "alone. Take a transformer and ask for its attention: levels=['blocks.0.attention', ..., 'final'].",
                about="TSCAMHead",
            )
        self.level = choose_level(channels, level)
        self.classifier = nn.Conv2d(channels[self.level], num_classes, kernel_size, padding="same", bias=bias)
        nn.init.kaiming_normal_(self.classifier.weight, mode="fan_out", nonlinearity="relu")
        if self.classifier.bias is not None:
            nn.init.zeros_(self.classifier.bias)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) and logits (B, K)."""
        features = levels[self.level]
        semantic = self.map_modifiers(self.classifier(features)).float()  # (B, K, h, w)
        looks, grid = [levels[name] for name in self.attention], (int(features.shape[-2]), int(features.shape[-1]))
        return Activation(
            lambda: semantic * attention_to_cells(looks, grid),
            semantic.mean((2, 3)),
            features,
            {"semantic": semantic},
        )
