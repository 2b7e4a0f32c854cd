"""What the parts hand each other: features, maps and logits, batches, truth, boxes and predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wsolkit.errors import ShapeError

__all__ = ["Activation", "Batch", "Levels", "Prediction"]

Levels = dict[str, Tensor]
"""Named feature levels, shallow to deep, each (B, C, h, w)."""


class Activation:
    """What a head makes of the features.

    Args:
        maps: (B, K, h, w), or (B, 1, h, w) for a class-agnostic map; or a function that makes them when they are first
            asked for, where training may not need them.
        logits: (B, K), or None where the head does not classify.
        features: (B, C, h, w), the features the maps were made from, for CAM methods and box extractors.
        extras: named further outputs (branches, embeddings) that a method's own losses read.
    """

    def __init__(
        self,
        maps: Tensor | Callable[[], Tensor],
        logits: Tensor | None = None,
        features: Tensor | None = None,
        extras: dict[str, Tensor] | None = None,
    ) -> None:
        self._maps = maps
        self.logits = None if logits is None else logits.float()
        self.features = features
        self.extras = extras or {}

    @property
    def maps(self) -> Tensor:
        """The maps in float32, (B, K, h, w) or (B, 1, h, w)."""
        if not isinstance(self._maps, Tensor):
            # Who asks first may not record gradients; a loss that asks later needs them.
            made_with_gradients = self.logits is not None and self.logits.requires_grad
            with torch.set_grad_enabled(torch.is_grad_enabled() or made_with_gradients):
                self._maps = self._maps()
        if self._maps.dtype != torch.float32:
            self._maps = self._maps.float()
        return self._maps

    @property
    def class_agnostic(self) -> bool:
        """Whether one map serves every class."""
        return self.maps.shape[1] == 1 and (self.logits is None or self.logits.shape[1] != 1)

    def of(self, classes: Tensor) -> Tensor:
        """Return the maps of the given classes, also when the map is class-agnostic.

        Args:
            classes: (B,) or (B, T) class indices.

        Returns:
            (B, h, w) or (B, T, h, w).

        Raises:
            ShapeError: ``classes`` has another batch size or names a class that has no map.

        >>> activation = Activation(maps=torch.arange(6.0).view(1, 3, 1, 2))
        >>> activation.of(torch.tensor([2])).tolist()
        [[[4.0, 5.0]]]
        """
        maps = self.maps
        if classes.ndim not in (1, 2) or len(classes) != len(maps):
            raise ShapeError(
                f"classes should be (B,) or (B, T) with B = {len(maps)} as the maps, but got {tuple(classes.shape)}."
            )
        index = classes if classes.ndim == 2 else classes[:, None]  # (B, T)
        if self.class_agnostic:
            index = torch.zeros_like(index)
        elif index.numel() and (int(index.min()) < 0 or int(index.max()) >= maps.shape[1]):
            raise ShapeError(
                f"classes should lie in 0..{maps.shape[1] - 1}, for which there are maps, "
                f"but got {int(index.min())}..{int(index.max())}."
            )
        rows = torch.arange(len(maps), device=maps.device)[:, None]
        found = maps[rows, index.to(maps.device)]  # (B, T, h, w)
        return found if classes.ndim == 2 else found[:, 0]


@dataclass
class Batch:
    """What training may see of a batch: images and image labels, never boxes or masks.

    Attributes:
        images: (B, 3, H, W), normalised.
        labels: (B,) class indices, or (B, K) multi-hot or soft labels, or None.
        image_ids: B names.
        progress: how far the training is, in [0, 1].
        begins_pass: whether a pass over the training images begins with this batch.
    """

    images: Tensor
    labels: Tensor | None = None
    image_ids: Sequence[str] = ()
    progress: float = 0.0
    begins_pass: bool = False


@dataclass
class Prediction:
    """What a model says of one image.

    Attributes:
        image_id: the image's name.
        logits: (K,) or None where the model does not classify.
        classes: (T,) classes the maps belong to.
        maps: (T, H, W) score maps in [0, 1] at the size of the network input.
        features: (C, h, w) last features, or None.
    """

    image_id: str
    logits: Tensor | None
    classes: Tensor
    maps: Tensor
    features: Tensor | None = None
