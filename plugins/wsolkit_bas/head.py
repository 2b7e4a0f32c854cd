"""A classifier, and a generator of foreground maps whose foreground and background go through the same classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from wsolkit import Activation, ActivationHead, Batch, Levels
from wsolkit.components import choose_level

__all__ = ["SuppressionHead"]


class SuppressionHead(ActivationHead):
    """Makes a foreground map of each class from an early level, and scores what lies inside and outside of it.

    The maps are sigmoid(conv(F)) of the level F, (B, K, h, w). The image is classified by the average of the deepest
    level's features. In training the map m of the image's class cuts F into F m and F (1 - m); the rest of the backbone
    and the classifier, as they are, say what each shows: they pass gradients on to the maps and learn nothing
    themselves from the two. The generator reads the level as it is, so that what lies before it learns from the maps.

    ``extras`` holds, in training, ``foreground`` (B, 1, h, w), ``foreground_logits`` and ``background_logits`` (B, K).
    ``maps`` are those of all classes.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        level: where the maps are made and cut; by default the level before the deepest, or the only one.
        kernel: side of the generator's convolution; odd.

    Attributes:
        cut_level: where the maps are made and cut.
        level: what is classified, the deepest level.

    >>> head = SuppressionHead({"layer3": 4, "layer4": 8}, num_classes=3)
    >>> found = head({"layer3": torch.rand(2, 4, 4, 4), "layer4": torch.rand(2, 8, 4, 4)})
    >>> found.maps.shape, found.logits.shape, found.extras
    (torch.Size([2, 3, 4, 4]), torch.Size([2, 3]), {})
    """

    gives: ClassVar = {key: {} for key in ("foreground", "foreground_logits", "background_logits")}

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        level: str | None = None,
        kernel: Annotated[int, "at least 1"] = 3,
    ) -> None:
        super().__init__()
        self.cut_level = choose_level(channels, level or list(channels)[-2:][0])
        self.level = choose_level(channels)
        self.generator = nn.Conv2d(channels[self.cut_level], num_classes, kernel, padding=kernel // 2)
        self.classifier = nn.Linear(channels[self.level], num_classes)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    @property
    def class_weights(self) -> Tensor:
        """The (K, C) weights of the classifier."""
        return self.classifier.weight

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) in (0, 1) and logits (B, K).

        Raises:
            ConfigError: the backbone cannot be run again from the level.
        """
        features = levels[self.level]
        logits = self.classifier(features.mean((2, 3)))
        maps = torch.sigmoid(self.generator(levels[self.cut_level]).float())  # (B, K, h, w)
        if batch is None or batch.labels is None:
            return Activation(maps, logits, features)
        foreground = of_labels(maps, batch.labels)  # (B, 1, h, w)
        cut = levels[self.cut_level].detach()
        extras = {
            "foreground": foreground,
            "foreground_logits": self.fixed_logits(levels, cut * foreground),
            "background_logits": self.fixed_logits(levels, cut * (1 - foreground)),
        }
        return Activation(maps, logits, features, extras)

    def fixed_logits(self, levels: Levels, maps: Tensor) -> Tensor:
        """Return what the classifier, which learns nothing from it, says of other maps of the level."""
        pooled = levels.run_from(self.cut_level, maps, learns=False)[self.level].mean((2, 3))
        weights = {name: weight.detach() for name, weight in self.classifier.named_parameters()}
        found: Tensor = functional_call(self.classifier, weights, (pooled,))
        return found


def of_labels(maps: Tensor, labels: Tensor) -> Tensor:
    """Return the map (B, 1, h, w) of each image's class, or of several classes their mean by the labels' weights.

    >>> of_labels(torch.tensor([[[[0.2]], [[0.6]]]]), torch.tensor([[1.0, 1.0]]))
    tensor([[[[0.4000]]]])
    """
    if labels.ndim == 1:
        return maps[torch.arange(len(maps), device=maps.device), labels][:, None]
    weights = labels.to(maps.dtype) / labels.sum(1, keepdim=True).clamp_min(1e-6)
    return (maps * weights[:, :, None, None]).sum(1, keepdim=True)
