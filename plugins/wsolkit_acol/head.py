"""Two classifiers side by side, of which the second does not see what the first one found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from torch import Tensor, nn

from wsolkit import POOLINGS, Activation, ActivationHead, Batch, Levels
from wsolkit.components import below, choose_level, map_classifier, map_of_present, normalized_maximum

__all__ = ["ACoLHead"]


class ACoLHead(ActivationHead):
    """Classifies features twice: whole, and without the cells that the first classifier holds for the class (ACoL).

    The first classifier's map of the image's classes is brought to [0, 1], and where it reaches the threshold the
    features are erased before the second classifier sees them. In training the classes are those of the labels, else
    the likeliest one; ``SecondLook`` erases for each class that is asked for.

    ``logits`` (B, K) are the first classifier's, ``maps`` (B, K, h, w) the larger of both normalised maps. In training
    ``extras`` holds ``second_logits`` (B, K) and ``second_maps`` too; always ``first_maps`` (B, K, h, w).

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        level: the level to read, the deepest by default.
        hidden: channels of the 3 x 3 convolutions with ReLU of each classifier, before its 1 x 1 convolution.
        threshold: of the first classifier's map: .6 in the paper's figures for ILSVRC and CUB, .7 in wsolevaluation.
        pooling: configuration or object of the pooling over the maps; average pooling by default.

    Raises:
        ConfigError: the backbone has no such level, or the threshold is no share.

    >>> import torch
    >>> head = ACoLHead({"layer4": 8}, num_classes=3, hidden=[16])
    >>> activation = head({"layer4": torch.rand(2, 8, 4, 4)}, Batch(torch.zeros(2, 3, 8, 8), torch.tensor([0, 2])))
    >>> activation.maps.shape, activation.extras["second_logits"].shape
    (torch.Size([2, 3, 4, 4]), torch.Size([2, 3]))
    """

    gives: ClassVar = {key: {} for key in ("first_maps", "second_maps", "second_logits")}
    takes_map_modifiers = True
    indexes_labels = True

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        level: str | None = None,
        hidden: Sequence[Annotated[int, "at least 1"]] = (1024, 1024),
        threshold: Annotated[float, "in (0, 1]"] = 0.6,
        pooling: Any = None,
    ) -> None:
        super().__init__()
        self.level = choose_level(channels, level)
        self.pooling = POOLINGS.build(pooling or {"type": "AveragePooling"})
        self.threshold = threshold
        self.first = map_classifier(channels[self.level], num_classes, hidden)
        self.second = map_classifier(channels[self.level], num_classes, hidden)

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) and logits (B, K)."""
        features = levels[self.level]
        first = self.maps_by(self.first, features)
        logits: Tensor = self.pooling(first)
        extras = {"first_maps": first}
        if batch is None:
            return Activation(lambda: self.seen_twice(features, first, logits.argmax(1)), logits, features, extras)
        labels = logits.argmax(1) if batch.labels is None else batch.labels
        second = self.second_maps(features, first, labels)
        extras.update(second_maps=second, second_logits=self.pooling(second))
        return Activation(lambda: normalized_maximum(first, second), logits, features, extras)

    def second_maps(self, features: Tensor, first: Tensor, labels: Tensor) -> Tensor:
        """Return the second classifier's maps (B, K, h, w) of features without what the first one found.

        Args:
            features: (B, C, h, w).
            first: the first classifier's maps (B, K, h, w).
            labels: (B,) classes, or (B, K) where those above 0 are present: what any of their maps holds is erased.
        """
        found = map_of_present(first, labels)
        return self.maps_by(self.second, features * below(found, self.threshold, "none").to(features.dtype))

    def seen_twice(self, features: Tensor, first: Tensor, labels: Tensor) -> Tensor:
        """Return the larger of both normalised maps, (B, K, h, w); see ``second_maps``."""
        return normalized_maximum(first, self.second_maps(features, first, labels))

    def maps_by(self, classifier: nn.Module, features: Tensor) -> Tensor:
        """Return the maps of a classifier (B, K, h, w); pooled in bf16, scores of many images would tie."""
        maps: Tensor = self.map_modifiers(classifier(features)).float()
        return maps
