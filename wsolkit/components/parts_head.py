"""The head for what only a label tells, of a few cells to a part of the picture, such as defects on a surface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from torch import Tensor, nn

from wsolkit.components.heads import choose_level, standardization
from wsolkit.interfaces import Activation, ActivationHead, Batch, Levels
from wsolkit.registry import POOLINGS

__all__ = ["PartsHead"]


class PartsHead(ActivationHead):
    """Finds and classifies by the few strongest cells of a level, with a convolution for each.

    Images may show none of the classes. To classify them well, "nothing" needs a map of its own; but such a map also
    explains away what lies beside the thing, so that the maps of the classes need not be high on the thing itself. So
    there are two 1x1 convolutions over the same standardized features:

    - one with K maps, which are the maps of the head. Their pooled scores are the extra ``map_logits`` (B, K), where
      "nothing" scores 0.
    - one with K maps and one for "nothing", pooled likewise. ``logits`` (B, K) are the scores of the classes less that
      of "nothing", so that here, too, it scores 0.

    Both learn from the same loss, ``CrossEntropyOrNothing``: once as it is and once with ``logits="map_logits"``.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        pooling: configuration or object of the pooling over the maps; by default the mean of the top 5 % of the cells.
        level: the level to read, the deepest by default. Small things are found in a middle one.
        standardize: bring every channel to mean 0 and variance 1 first; see ``ConvHead``.

    Raises:
        ConfigError: the backbone has no such level.

    >>> import torch
    >>> head = PartsHead({"blocks.4": 8}, num_classes=3)
    >>> activation = head({"blocks.4": torch.rand(2, 8, 12, 12)})
    >>> activation.maps.shape, activation.logits.shape, activation.extras["map_logits"].shape
    (torch.Size([2, 3, 12, 12]), torch.Size([2, 3]), torch.Size([2, 3]))
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        pooling: Any = None,
        level: str | None = None,
        standardize: bool = True,
    ) -> None:
        super().__init__()
        self.level = choose_level(channels, level)
        self.standardized = standardization(channels[self.level]) if standardize else nn.Identity()
        self.pooling = POOLINGS.build(pooling or {"type": "TopCellsPooling", "share": 0.05})
        self.finder = nn.Conv2d(channels[self.level], num_classes, 1)
        self.judge = nn.Conv2d(channels[self.level], num_classes + 1, 1)
        for convolution in (self.finder, self.judge):
            nn.init.normal_(convolution.weight, std=0.01)
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) and logits (B, K)."""
        features = levels[self.level]
        seen = self.standardized(features)
        maps = self.finder(seen).float()  # (B, K, h, w); pooled in bf16, scores of many images would tie
        scores: Tensor = self.pooling(self.judge(seen).float())  # (B, K + 1)
        logits = scores[:, :-1] - scores[:, -1:]
        return Activation(maps, logits, features, {"map_logits": self.pooling(maps)})
