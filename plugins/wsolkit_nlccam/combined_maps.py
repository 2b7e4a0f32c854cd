"""A map of all classes' maps: those of likely classes added, those of unlikely ones taken off."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from wsolkit import Activation, CamMethod, HeadError, MapNormalize, MapResize, Model

__all__ = ["CombinedMaps", "rank_weights", "ranks"]

Curve = Literal["quadratic", "linear", "late"]


def rank_weights(classes: int, curve: Curve = "quadratic") -> Tensor:
    """Return the weight of each rank, from 1 for the likeliest class down to -1 for the unlikeliest, (K,) float32.

    With t from 0 to 1 over the ranks: ``quadratic`` is 2 (1 - t)^2 - 1, which falls fast at first, so that most classes
    count against; ``linear`` is 1 - 2 t; ``late`` is 1 - 2 t^2, which falls fast at last, so that most count for.

    >>> rank_weights(3).tolist(), rank_weights(3, "linear").tolist(), rank_weights(3, "late").tolist()
    ([1.0, -0.5, -1.0], [1.0, 0.0, -1.0], [1.0, 0.5, -1.0])
    >>> rank_weights(1).tolist()
    [1.0]
    """
    t = torch.linspace(0, 1, classes) if classes > 1 else torch.zeros(1)
    return {"quadratic": 2 * (1 - t) ** 2 - 1, "linear": 1 - 2 * t, "late": 1 - 2 * t**2}[curve]


def ranks(logits: Tensor, classes: Tensor) -> Tensor:
    """Return the rank of every class, likeliest first, where the class that is asked for comes before all others.

    Args:
        logits: (B, K).
        classes: (B, T).

    Returns:
        (B, T, K) int64, a permutation of 0..K-1 for each image and asked class.

    >>> ranks(torch.tensor([[2.0, 5.0, 3.0]]), torch.tensor([[1, 0]])).tolist()
    [[[2, 0, 1], [0, 1, 2]]]
    """
    order = logits.argsort(dim=1, descending=True, stable=True)
    place = order.argsort(dim=1)  # (B, K), the rank of each class by its score
    asked = place.gather(1, classes)[:, :, None]  # (B, T, 1)
    every = place[:, None].expand(-1, classes.shape[1], -1)
    return torch.where(every == asked, 0, every + (every < asked))


class CombinedMaps(CamMethod):
    """Adds up the head's maps of all classes, weighed by how likely each class is (NL-CCAM, section 3.2).

    The class that is asked for counts as the likeliest, the others follow by their scores. Low maps of unlikely classes
    and high ones of likely classes agree on the object; what all maps like, such as a background, cancels out.

    Args:
        weights: how the weight falls from 1 to -1 over the ranks; see ``rank_weights``.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(
        self, weights: Curve = "quadratic", resize: MapResize = "bicubic", normalize: MapNormalize = "minmax"
    ) -> None:
        super().__init__(resize, normalize)
        self.weights = weights

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T).

        Raises:
            HeadError: the head has no map of each class, or no scores.
        """
        asked = classes if classes.ndim == 2 else classes[:, None]
        found = self.combined(model, asked, activation or model.activate(images))
        return found if classes.ndim == 2 else found[:, 0]

    def all_maps(self, model: Model, images: Tensor, activation: Activation) -> Tensor:
        """Return the combined maps of every class, (B, K, h, w)."""
        count = activation.maps.shape[1]
        every = torch.arange(count, device=activation.maps.device).expand(len(activation.maps), count)
        return self.combined(model, every, activation)

    def combined(self, model: Model, asked: Tensor, activation: Activation) -> Tensor:
        """Return the maps (B, T, h, w) of classes (B, T)."""
        logits = activation.need("logits", self)
        if activation.class_agnostic:
            raise HeadError(
                f"CombinedMaps combines the maps of all classes, but {type(model.head).__name__} gives one map for all "
                "of them. Use head=dict(type='CAMHead'), or take cam_method=dict(type='HeadMaps').",
                heads=[{"type": "CAMHead"}],
            )
        maps = activation.maps
        weights = rank_weights(maps.shape[1], self.weights).to(maps.device)
        each = weights[ranks(logits, asked.to(maps.device))]  # (B, T, K)
        with torch.autocast(maps.device.type, enabled=False):
            return torch.bmm(each, maps.flatten(2)).unflatten(2, maps.shape[2:])
