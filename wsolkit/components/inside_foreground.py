"""Class maps inside the foreground: two heads on the same features, of which one says what and the other how far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from torch import Tensor

from wsolkit.errors import ConfigError
from wsolkit.interfaces import Activation, ActivationHead, Batch, Levels
from wsolkit.maps import normalize_maps, resize_maps
from wsolkit.registry import HEADS

__all__ = ["InsideForeground", "inside"]


def inside(class_maps: Tensor, foreground: Tensor) -> Tensor:
    """Return the foreground (B, 1, h', w'), and half of it where a class is least likely, as maps (B, K, h, w).

    The map of a class is high on its most telling part, the foreground on all objects alike. The foreground times
    (1 + class) / 2, with each class map brought to [0, 1], covers more of the one object than the first and less of the
    others than the second; the plain product would fall back to the telling part.

    >>> import torch
    >>> maps, foreground = torch.tensor([[[[-2.0, 2.0, 0.0]]]]), torch.tensor([[[[0.9, 0.8, 0.2]]]])
    >>> [round(score, 3) for score in inside(maps, foreground).flatten().tolist()]
    [0.45, 0.8, 0.15]
    """
    size = (class_maps.shape[-2], class_maps.shape[-1])
    return resize_maps(foreground, size, "bilinear") * (1 + normalize_maps(class_maps, "minmax")) / 2


class InsideForeground(ActivationHead):
    """Class maps inside the map of a class-agnostic head, for images with several classes.

    Both heads see the same levels and learn side by side, each from its own losses: those of classification read the
    logits of the one, those of the foreground the extras of the other.

    Args:
        channels: channels of the backbone's levels, by name.
        num_classes: K.
        classes: configuration of the head with a map for each class and logits, such as a ``ConvHead``.
        foreground: configuration of the head with one map for all classes.

    Raises:
        ConfigError: a head is missing, or makes other maps than these.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: Annotated[int, "at least 1"],
        classes: Any = None,
        foreground: Any = None,
    ) -> None:
        super().__init__()
        for name, head in (("classes", classes), ("foreground", foreground)):
            if head is None:
                raise ConfigError(f"InsideForeground needs two heads. Give it {name}=dict(type=...).")
        known = {"channels": dict(channels)}
        self.classes: ActivationHead = HEADS.build({**classes, **known, "num_classes": num_classes})
        self.foreground: ActivationHead = HEADS.build({**foreground, **known})

    def forward(self, levels: Levels, batch: Batch | None = None) -> Activation:
        """Make maps (B, K, h, w) in [0, 1] and logits (B, K); the extras are those of both heads.

        Raises:
            ConfigError: the foreground has several maps.
        """
        what, where = self.classes(levels, batch), self.foreground(levels, batch)
        if where.maps.shape[1] != 1:
            raise ConfigError(
                f"The foreground should be one map for all classes, but {type(self.foreground).__name__} makes "
                f"{where.maps.shape[1]}. Choose a class-agnostic head such as C2AMHead."
            )
        extras = {**what.extras, **where.extras}
        return Activation(lambda: inside(what.maps, where.maps), what.logits, what.features, extras)

    def end_pass(self) -> None:
        """Let both heads say what they saw."""
        self.classes.end_pass()
        self.foreground.end_pass()

    @property
    def class_weights(self) -> Tensor | None:
        """Those of the head of the classes."""
        return self.classes.class_weights
