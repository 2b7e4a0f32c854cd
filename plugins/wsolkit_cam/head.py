"""The head of CAM: average pooling and a linear classifier, whose weights recombine the features into class maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from torch import Tensor

from wsolkit import Activation, Batch, Levels
from wsolkit.components import LinearHead, recombine

__all__ = ["CAMHead"]


class CAMHead(LinearHead):
    """Classifies average-pooled features and weighs the features by the classifier into class maps.

    Averaging and weighing are both linear and may swap places, so there are two forms with the same weights, the same
    maps and the same logits:

    - ``linear``, as the paper writes it: the logits are made from pooled features, the maps beside them.
    - ``conv``: the classifier is a 1x1 convolution over the features, and the logits are the means of its maps. Here
      the maps lie on the way to the loss, so map modifiers can change them.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        form: ``linear`` or ``conv``.
        level: the level to read, the deepest by default.
        bias: whether the classifier has a bias; the paper sets it to zero.

    Raises:
        ConfigError: ``form`` is neither of the two, or the backbone has no such level.

    >>> import torch
    >>> head = CAMHead({"layer4": 8}, num_classes=3)
    >>> activation = head({"layer4": torch.rand(2, 8, 7, 7)})
    >>> activation.maps.shape, torch.allclose(activation.maps.mean((2, 3)), activation.logits, atol=1e-5)
    (torch.Size([2, 3, 7, 7]), True)
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        form: Literal["linear", "conv"] = "linear",
        level: str | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__(channels, num_classes, level=level, bias=bias)
        self.form = form
        self.takes_map_modifiers = form == "conv"

    @property
    def mean_weights(self) -> Tensor | None:
        """The weights of the classifier; None where a modifier works on the maps of the conv form at prediction."""
        return self.classifier.weight if self.maps_at_rest and type(self).forward is CAMHead.forward else None

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) and logits (B, K)."""
        if self.form == "linear":
            return super().forward(levels, batch)
        features = levels[self.level]  # (B, C, h, w)
        maps = self.map_modifiers(recombine(features, self.classifier.weight, self.classifier.bias))  # (B, K, h, w)
        maps = maps.float()  # pooled in bf16, scores of many images would tie
        return Activation(maps, self.pooling(maps), features)

    def from_authors(self, checkpoint: Mapping[str, Any]) -> dict[str, Tensor] | None:
        """Return the classifier ``fc`` of torchvision's networks, which wsolevaluation's CAM models keep."""
        state = checkpoint["state_dict"]
        found = {f"classifier.{leaf}": state[f"fc.{leaf}"] for leaf in ("weight", "bias") if f"fc.{leaf}" in state}
        return found if "classifier.weight" in found else None
