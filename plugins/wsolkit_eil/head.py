"""A head that sees the features twice in training: as they are, and with the strongest cells of a level erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from torch import Tensor

from wsolkit import HEADS, Activation, ActivationHead, Batch, ConfigError, Levels, MapNormalize
from wsolkit.components import below, choose_level

__all__ = ["ErasedPasses", "erase_strongest"]


def erase_strongest(features: Tensor, threshold: float, normalize: MapNormalize = "max") -> Tensor:
    """Return features (B, C, h, w) with those cells set to 0 whose mean over the channels is strong (section 3.1).

    No gradient flows through the mask.

    Args:
        features: (B, C, h, w).
        threshold: part of the largest mean of the image from which on cells are erased, in [0, 1].
        normalize: what the threshold is a part of, see ``below``.

    >>> import torch
    >>> erase_strongest(torch.tensor([[[[1.0, 2.0, 4.0]], [[1.0, 2.0, 0.0]]]]), 0.9)
    tensor([[[[1., 0., 0.]],
    <BLANKLINE>
             [[1., 0., 0.]]]])
    """
    return features * below(features.mean(1, keepdim=True), threshold, normalize)


class ErasedPasses(ActivationHead):
    """Lets another head see, in training, what the backbone makes of a level with the strongest cells erased.

    The rest of the backbone and the head run once on the features and once more for each level, with the same weights;
    one level is EIL, several are MEIL. Maps and logits are those of the first pass, and evaluation has no other.
    ``extras`` holds the head's own and ``erased_logits`` (B, K), for further levels ``erased_logits_2`` and so on.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        head: configuration of the head that classifies; ``LinearHead`` by default.
        levels: where to erase; by default the level before the deepest, or the only one.
        threshold: part of the largest cell from which on cells are erased; the same for all levels.
        normalize: ``max``, or ``minmax`` for levels whose means may be negative: part of the range.

    Raises:
        ConfigError: the backbone lacks a level, or the head gives no logits.

    >>> import torch
    >>> head = ErasedPasses({"layer3": 4, "layer4": 8}, num_classes=3)
    >>> head.levels, head({"layer3": torch.rand(2, 4, 4, 4), "layer4": torch.rand(2, 8, 4, 4)}).logits.shape
    (['layer3'], torch.Size([2, 3]))
    """

    gives: ClassVar = {"erased_logits": {}}

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        head: Mapping[str, Any] | None = None,
        levels: Sequence[str] | None = None,
        threshold: Annotated[float, "in [0, 1]"] = 0.7,
        normalize: MapNormalize = "max",
    ) -> None:
        super().__init__()
        if isinstance(levels, str) or (levels is not None and not levels):
            raise ConfigError(f"levels should be a list of level names such as ['layer3'], but got {levels!r}.")
        self.levels = [choose_level(channels, level) for level in levels or list(channels)[-2:][:1]]
        self.threshold = threshold
        self.normalize: MapNormalize = normalize
        given = {"channels": dict(channels), "num_classes": num_classes}
        self.head: ActivationHead = HEADS.build({**(head or {"type": "LinearHead"}), **given})

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps and logits (B, K) of the levels, and in training logits of what the erasing leaves.

        Raises:
            ConfigError: the head gives no logits, or the backbone cannot be run again from a level.
        """
        found = self.head(levels, batch)
        if batch is None:
            return found
        extras = dict(found.extras)
        for number, level in enumerate(self.levels, 1):
            erased = erase_strongest(levels[level], self.threshold, self.normalize)
            logits = self.head(levels.run_from(level, erased), batch).logits
            if logits is None:
                raise ConfigError(
                    f"ErasedPasses needs a head that classifies, but {type(self.head).__name__} gives no logits. "
                    "Choose another, such as LinearHead."
                )
            extras["erased_logits" if number == 1 else f"erased_logits_{number}"] = logits
        return Activation(lambda: found.maps, found.logits, found.features, extras)

    def end_pass(self) -> None:
        """Let the head say what it saw."""
        self.head.end_pass()

    @property
    def class_weights(self) -> Tensor | None:
        """Those of the head."""
        return self.head.class_weights
