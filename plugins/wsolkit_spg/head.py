"""A classifier of maps, and three masks of object and background: of two earlier levels and of the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from torch import Tensor, nn

from wsolkit import POOLINGS, Activation, ActivationHead, Batch, ConfigError, Levels
from wsolkit.components import choose_level, map_classifier

__all__ = ["SPGHead"]


class SPGHead(ActivationHead):
    """Makes class maps of the last level, and beside them one mask of each of three levels (SPG, figure 2).

    The masks tell object from background, whatever the class. Those of the two earlier levels (B1, B2) share all but
    their first convolution; that of the last (C) has its own. They serve training alone: ``extras`` holds their scores
    before the sigmoid, ``mask_b1``, ``mask_b2`` and ``mask_c``, each (B, 1, h, w) of its level, where there is a batch
    with labels.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        levels: names of the levels of B1, B2 and of the classifier with C, shallow to deep; the last three by default,
            of which the deepest is taken more than once where there are fewer.
        hidden: channels of the 3 x 3 convolutions with ReLU before the classifier's 1 x 1 convolution; none by default.
        width: channels between the convolutions of the earlier masks; ``last_width`` of the last one.
        pooling: configuration or object of the pooling over the maps; average pooling by default.

    Raises:
        ConfigError: the backbone lacks a level, or there are not three.

    >>> import torch
    >>> head = SPGHead({"layer2": 4, "layer3": 6, "layer4": 8}, num_classes=3, width=8, last_width=8)
    >>> levels = {"layer2": torch.rand(2, 4, 8, 8), "layer3": torch.rand(2, 6, 4, 4), "layer4": torch.rand(2, 8, 4, 4)}
    >>> activation = head(levels, Batch(torch.zeros(2, 3, 16, 16), torch.tensor([0, 2])))
    >>> activation.maps.shape, {name: tuple(each.shape) for name, each in activation.extras.items()}
    (torch.Size([2, 3, 4, 4]), {'mask_b1': (2, 1, 8, 8), 'mask_b2': (2, 1, 4, 4), 'mask_c': (2, 1, 4, 4)})
    """

    gives: ClassVar = {key: {} for key in ("mask_b1", "mask_b2", "mask_c")}
    takes_map_modifiers = True

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        levels: Sequence[str] | None = None,
        hidden: Sequence[Annotated[int, "at least 1"]] = (),
        width: Annotated[int, "at least 1"] = 512,
        last_width: Annotated[int, "at least 1"] = 512,
        pooling: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(levels, str) or (levels is not None and len(levels) != 3):
            raise ConfigError(
                "levels of SPGHead should be three names, of the two earlier masks and of the classifier, such as "
                f"['layer2', 'layer3', 'layer4'], but got {levels!r}."
            )
        known = list(channels)
        chosen = levels or [*known[-3:], *[known[-1]] * 3][:3]
        self.levels = [choose_level(channels, level) for level in chosen]
        first, second, last = (channels[level] for level in self.levels)
        self.pooling = POOLINGS.build(pooling or {"type": "AveragePooling"})
        self.classifier = map_classifier(last, num_classes, hidden)
        self.mask_b1 = rectified_convolution(first, width)
        self.mask_b2 = rectified_convolution(second, width)
        self.shared = map_classifier(width, 1, [width])
        self.mask_c = map_classifier(last, 1, [last_width])

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w), logits (B, K) and, in training, the masks."""
        first, second, last = (levels[level] for level in self.levels)
        maps: Tensor = self.map_modifiers(self.classifier(last)).float()
        extras = {}
        if batch is not None:
            extras["mask_b1"] = self.shared(self.mask_b1(first)).float()
            extras["mask_b2"] = self.shared(self.mask_b2(second)).float()
            extras["mask_c"] = self.mask_c(last).float()
        return Activation(maps, self.pooling(maps), last, extras)


def rectified_convolution(channels: int, width: int) -> nn.Sequential:
    """Return a 3 x 3 convolution with ReLU."""
    convolution = nn.Conv2d(channels, width, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
    return nn.Sequential(convolution, nn.ReLU())
