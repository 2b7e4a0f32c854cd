"""CAM methods made of activations and gradients: the place is theirs to choose, the formula is the paper's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from wsolkit.errors import ConfigError, ShapeError
from wsolkit.interfaces import Activation, CamMethod, Model
from wsolkit.maps import MapNormalize, MapResize, normalize_maps, resize_maps
from wsolkit.model.tape import Tape, check_places, watch

__all__ = ["Fuse", "GradientMaps", "check_classes", "fuse_maps", "head_level", "weighted_sum"]

Fuse = Literal["mean", "max"]
"""How the maps of several places become one."""


def weighted_sum(activations: Tensor, weights: Tensor) -> Tensor:
    """Return the sum over channels of activations (..., C, h, w) times weights (..., C, h, w) or (..., C, 1, 1).

    >>> weighted_sum(torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]), torch.tensor([[[2.0]], [[-1.0]]])).tolist()
    [[-1.0, 0.0]]
    """
    if weights.shape[-2:] != (1, 1):
        return (activations * weights).sum(-3)
    return torch.einsum("...chw,...c->...hw", activations, weights[..., 0, 0])


def fuse_maps(maps: Sequence[Tensor], how: Fuse = "mean", normalize: MapNormalize = "minmax") -> Tensor:
    """Return one map of those of several places; a single one as it is.

    Each is brought to [0, 1] and resized bilinearly to the most cells, then the mean or the maximum is taken.

    Args:
        maps: (..., h, w) each, of any range, negative scores already cut off.
        how: ``mean`` or ``max``.
        normalize: how each is brought to [0, 1], see ``normalize_maps``.

    >>> fuse_maps([torch.tensor([[0.0, 4.0]]), torch.tensor([[2.0, 2.0]])]).tolist()
    [[0.0, 0.5]]
    """
    if len(maps) == 1:
        return maps[0]
    height, width = max((tuple(each.shape[-2:]) for each in maps), key=lambda side: side[0] * side[1])
    resized = torch.stack([resize_maps(normalize_maps(each, normalize), (height, width), "bilinear") for each in maps])
    return resized.mean(0) if how == "mean" else resized.amax(0)


def head_level(model: Model) -> str:
    """Return the backbone's level that the head reads, as far as it tells; the deepest otherwise."""
    level = getattr(model.head, "level", None)
    return level if isinstance(level, str) and level in model.backbone.channels else list(model.backbone.channels)[-1]


class GradientMaps(CamMethod):
    """Makes maps of what places of the network give, and of the gradients of class scores there.

    Subclasses override ``layer_maps``, and ``wanted`` where it is not the score of the class itself that is explained.
    Where the place is the level under a head that classifies its mean, gradients are known in closed form; elsewhere
    one pass records what lies behind the first place, and each class takes one more way back to it.

    Args:
        at: the place: a module of the backbone by its dotted name, or a level; or a list of places, whose maps are
            fused. The level that the head reads by default.
        fuse: how maps of several places become one, each in [0, 1] and at the most cells: ``mean`` or ``max``.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.

    Raises:
        ConfigError: there is no place, or a place comes twice.
    """

    def __init__(
        self,
        at: str | Sequence[str] | None = None,
        fuse: Fuse = "mean",
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(resize, normalize)
        self.at = None if at is None else checked_places(type(self).__name__, at)
        self.fuse: Fuse = fuse

    @abstractmethod
    def layer_maps(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return the maps (..., h, w) of one place.

        Args:
            activations: what the place gave, (..., C, h, w).
            gradients: of the score, (..., C, h, w), or (..., C, 1, 1) where they are the same in all cells.
        """

    def wanted(self, logits: Tensor, classes: Tensor) -> Tensor:
        """Return how much each logit counts for the score that is explained, (B, T, K): by default the class itself.

        Args:
            logits: (B, K), without a graph.
            classes: (B, T).
        """
        return torch.nn.functional.one_hot(classes, logits.shape[1]).to(logits.dtype)

    def places(self, model: Model) -> tuple[str, ...]:
        """Return the names of the places."""
        return (head_level(model),) if self.at is None else self.at

    def check(self, model: Model) -> None:
        """Refuse a model whose backbone lacks a place.

        Raises:
            ConfigError: it does.
        """
        check_places(model, self.at or ())

    def fused(self, maps: Sequence[Tensor]) -> Tensor:
        """Return one map of those of the places, shallow to deep as they were named."""
        return fuse_maps(maps, self.fuse)

    def activate(self, model: Model, images: Tensor) -> Activation:
        """Return what the model makes of the images, recorded where the gradients are not known in closed form."""
        if self.flat_weights(model) is not None:
            return model.activate(images)
        activation, tape = watch(model, images, self.places(model), type(self).__name__)
        activation.tape = tape
        return activation

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: a place is unknown or is not run, or no class score depends on it.
            ShapeError: a class is none of the head's, or what a place gives is no map.
        """
        found = activation
        if found is None or (self.flat_weights(model) is None and not self._recorded(model, found)):
            found = self.activate(model, images)
        logits = found.need("logits", self)
        asked = (classes if classes.ndim == 2 else classes[:, None]).to(logits.device)  # (B, T)
        check_classes(asked, logits.shape[1])
        weights = self.flat_weights(model)
        if weights is not None:
            maps = self._closed(found, asked, weights)
        else:
            wanted = self.wanted(logits, asked)  # (B, T, K)
            maps = torch.stack([self.maps_of(found.tape, each) for each in wanted.unbind(1)], 1)
        return maps if classes.ndim == 2 else maps[:, 0]

    def maps_of(self, tape: Tape, wanted: Tensor) -> Tensor:
        """Return the maps (B, h, w) of a score that is recorded; ``wanted`` (B, K) says of which."""
        pairs = zip(tape.activations(), tape.gradients(wanted), strict=True)
        return self.fused([self.layer_maps(*pair) for pair in pairs])

    def all_maps(self, model: Model, images: Tensor, activation: Activation) -> Tensor | None:
        """Return the maps (B, K, h, w) of every class where they are known in closed form; None elsewhere."""
        weights = self.flat_weights(model)
        if weights is None or activation.logits is None:
            return None
        every = torch.arange(len(weights), device=weights.device).expand(len(activation.logits), -1)
        return self._closed(activation, every, weights)

    def flat_weights(self, model: Model) -> Tensor | None:
        """Return the head's ``mean_weights`` (K, C) where the one place is the level that it reads; None elsewhere."""
        return model.head.mean_weights if self.places(model) == (head_level(model),) else None

    def _closed(self, activation: Activation, classes: Tensor, weights: Tensor) -> Tensor:
        """Return maps (B, T, h, w): the gradient of a mean is the same in all cells."""
        features, logits = activation.features, activation.logits
        assert features is not None
        assert logits is not None
        weights = weights.detach().float()
        with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
            if type(self).wanted is GradientMaps.wanted:
                weights = weights[classes]  # (B, T, C)
            else:
                weights = self.wanted(logits, classes).float() @ weights
            gradients = weights[..., None, None] / (features.shape[-2] * features.shape[-1])
            return self.fused([self.layer_maps(features.float()[:, None], gradients)])

    def _recorded(self, model: Model, activation: Activation) -> bool:
        return isinstance(activation.tape, Tape) and activation.tape.places == self.places(model)


def checked_places(part: str, at: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of places.

    Raises:
        ConfigError: there are none, or one comes twice.
    """
    places = (at,) if isinstance(at, str) else tuple(at)
    if not places or len(set(places)) < len(places):
        raise ConfigError(
            f"at of {part} should be a place such as 'layer4', or a list of different ones, but got {list(places)}."
        )
    return places


def check_classes(classes: Tensor, count: int) -> None:
    """Refuse classes that the head has no score for.

    Raises:
        ShapeError: there is one.
    """
    if classes.numel() and (int(classes.min()) < 0 or int(classes.max()) >= count):
        raise ShapeError(
            f"classes should lie in 0..{count - 1}, those of the classifier, but got {int(classes.min())}.."
            f"{int(classes.max())}."
        )
