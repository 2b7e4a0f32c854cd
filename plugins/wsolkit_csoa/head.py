"""Two classifiers on two levels of the backbone, each with class maps of its own."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from torch import Tensor, nn

from wsolkit import POOLINGS, Activation, ActivationHead, Batch, ConfigError, Levels
from wsolkit.components import choose_level, map_classifier

__all__ = ["TwoBranchHead", "branch_levels", "map_classifier"]


def branch_levels(channels: Mapping[str, int], levels: Sequence[str] | None = None) -> tuple[str, str]:
    """Return the levels of the early and of the late branch: the given two, or the deepest and the one before it.

    Raises:
        ConfigError: ``levels`` is not one or two names of levels of the backbone.

    >>> branch_levels({"layer2": 512, "layer3": 1024, "layer4": 2048})
    ('layer3', 'layer4')
    """
    if isinstance(levels, str) or (levels is not None and len(levels) not in (1, 2)):
        raise ConfigError(
            f"levels of TwoBranchHead should be two names, the early and the late one, such as ['layer3', 'layer4'], "
            f"but got {levels!r}."
        )
    names = list(channels)[-2:] if levels is None else [choose_level(channels, level) for level in levels]
    return names[0], names[-1]


class TwoBranchHead(ActivationHead):
    """Makes class maps twice, S_F of an early level and S_L of a late one, and pools each to logits (CSoA, 3.1).

    ``Activation.maps`` and ``logits`` are those of the late branch; ``extras`` holds ``early_maps`` (B, K, h', w') and
    ``early_logits`` (B, K). The levels may differ in size. Map modifiers see the maps of both branches, the early ones
    first.

    With one level both branches read it, which is the paper's row "5-5" and its worst; a warning says so.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        levels: names of the early and the late level; the deepest one and the one before it by default.
        hidden: channels of the two 3 x 3 convolutions of each branch.
        pooling: configuration or object of the pooling over the maps; average pooling by default.
        early: whether there is an early branch. Without it this is the paper's baseline: one classifier of the same
            layers on the late level, no extras.

    Raises:
        ConfigError: the backbone lacks a level, or a number is out of range.

    >>> import torch
    >>> head = TwoBranchHead({"layer3": 4, "layer4": 8}, num_classes=3, hidden=16)
    >>> activation = head({"layer3": torch.rand(2, 4, 6, 6), "layer4": torch.rand(2, 8, 3, 3)})
    >>> activation.maps.shape, activation.extras["early_maps"].shape, activation.extras["early_logits"].shape
    (torch.Size([2, 3, 3, 3]), torch.Size([2, 3, 6, 6]), torch.Size([2, 3]))
    """

    gives: ClassVar = {"early_maps": {}, "early_logits": {}}
    takes_map_modifiers = True

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        levels: Sequence[str] | None = None,
        hidden: Annotated[int, "at least 1"] = 1024,
        pooling: Any = None,
        early: bool = True,
    ) -> None:
        super().__init__()
        self.early_level, self.level = branch_levels(channels, levels)
        if early and self.early_level == self.level and (levels is None or len(levels) == 1):
            warnings.warn(
                f"Both branches of TwoBranchHead read the level {self.level!r}, the only one it has from the "
                "backbone. Let the backbone give two levels (model.backbone.levels=[...]), or set early=False.",
                stacklevel=2,
            )
        self.pooling = POOLINGS.build(pooling or {"type": "AveragePooling"})
        self.late = map_classifier(channels[self.level], num_classes, (hidden, hidden))
        self.early = map_classifier(channels[self.early_level], num_classes, (hidden, hidden)) if early else None

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) and logits (B, K) of both branches."""
        extras = {}
        if self.early is not None:
            extras["early_maps"], early_logits = self._branch(self.early, levels[self.early_level])
            extras["early_logits"] = early_logits.float()
        maps, logits = self._branch(self.late, levels[self.level])
        return Activation(maps, logits, levels[self.level], extras)

    def _branch(self, classifier: nn.Module, features: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.map_modifiers(classifier(features)).float()  # pooled in bf16, scores of many images would tie
        return maps, self.pooling(maps)
