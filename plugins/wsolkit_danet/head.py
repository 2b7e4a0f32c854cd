"""The head of DANet: a branch of maps for each level of the hierarchy, several maps of each class on the finest."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from wsolkit import Activation, ActivationHead, Batch, Levels
from wsolkit.components import choose_level, map_classifier
from wsolkit_danet.hierarchy import hierarchy

__all__ = ["DivergentHead"]


class DivergentHead(ActivationHead):
    """Makes class maps on every level of a hierarchy of the classes, M of each class on the finest (DANet, section 3).

    ``Activation.maps`` are the means of the M maps of each class, their average pooling the logits. ``extras`` holds
    ``maps_per_class`` (B, K, M, h, w), ``groups`` (L, K), the group of each class on each of the L levels above, and
    for level i from the coarsest ``group_maps_i`` (B, G_i, h, w) and ``group_logits_i`` (B, G_i). Map modifiers see the
    (B, K * M, h, w) maps of the classes.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K; filled in from the data.
        level: name of the level to read; the deepest by default.
        maps_per_class: M; 8 in the paper.
        hidden: channels of the 3 x 3 convolutions with ReLU of each branch, before the one that makes its maps.
        class_names: names of the classes, filled in from the data: those of one last word are a group where the data
            has no groups of its own.
        class_groups: levels from coarse to fine, a group for each class; filled in from data that has a table.

    Raises:
        ConfigError: the backbone lacks the level, or a level of groups does not fit.

    >>> head = DivergentHead({"layer4": 8}, 3, maps_per_class=2, hidden=(), class_groups=[[0, 0, 1]])
    >>> seen = head({"layer4": torch.rand(2, 8, 3, 3)})
    >>> seen.maps.shape, seen.extras["maps_per_class"].shape, seen.extras["group_logits_0"].shape
    (torch.Size([2, 3, 3, 3]), torch.Size([2, 3, 2, 3, 3]), torch.Size([2, 2]))
    """

    gives: ClassVar = {"groups": {}, "maps_per_class": {"maps_per_class": 8}}
    takes_map_modifiers = True
    groups: Tensor

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        level: str | None = None,
        maps_per_class: Annotated[int, "at least 1"] = 8,
        hidden: Sequence[int] = (1024, 1024),
        class_names: Sequence[str] | None = None,
        class_groups: Sequence[Sequence[int]] | None = None,
    ) -> None:
        super().__init__()
        self.level = choose_level(channels, level)
        self.maps_per_class = maps_per_class
        levels = hierarchy(num_classes, class_names, class_groups)
        if not levels and (class_names or class_groups):
            warnings.warn(
                "DivergentHead finds no hierarchy: no two classes have a last word or a group in common. It is trained "
                "on the classes alone; give the data a table (train_dataloader.dataset.class_groups).",
                stacklevel=2,
            )
        groups = torch.tensor(levels, dtype=torch.long).view(len(levels), num_classes)
        self.register_buffer("groups", groups, persistent=False)
        width = channels[self.level]
        self.classes = map_classifier(width, num_classes * maps_per_class, hidden)
        self.coarser = nn.ModuleList(map_classifier(width, max(level) + 1, hidden) for level in levels)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w), logits (B, K) and those of every level above."""
        features = levels[self.level]
        several = self.map_modifiers(self.classes(features)).float().unflatten(1, (-1, self.maps_per_class))
        maps = several.mean(2)
        extras: dict[str, Tensor] = {"maps_per_class": several, "groups": self.groups}
        for number, branch in enumerate(self.coarser):
            found = branch(features).float()
            extras |= {f"group_maps_{number}": found, f"group_logits_{number}": found.mean((2, 3))}
        return Activation(maps, maps.mean((2, 3)), features, extras)
