"""What the parts hand each other: features, maps and logits, batches, truth, boxes and predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import torch
from torch import Tensor

from wsolkit.errors import ConfigError, HeadError, ShapeError, nearest
from wsolkit.interfaces.needs import refusal

__all__ = ["Activation", "Batch", "KnownLevels", "Levels", "Prediction"]

Again = Callable[[str, Tensor, Mapping[str, Tensor], bool], Mapping[str, Tensor]]
"""Runs a backbone from a level on, with other maps there; told all levels of the pass before, and whether it learns."""


class Levels(dict[str, Tensor]):
    """Named feature levels, shallow to deep, each (B, C, h, w).

    Args:
        levels: the levels by name, or pairs of both.
        again: runs the rest of the backbone; a ``Localizer`` gives it.

    >>> levels = Levels({"a": torch.ones(1, 2, 4, 4)}, lambda name, maps, *_: {name: maps, "b": maps.sum(1, True)})
    >>> {name: float(level[0, 0, 0, 0]) for name, level in levels.run_from("a", 3 * levels["a"]).items()}
    {'a': 3.0, 'b': 6.0}
    """

    def __init__(
        self, levels: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] = (), again: Again | None = None
    ) -> None:
        super().__init__(levels)
        self._again = again

    def run_from(self, name: str, maps: Tensor, learns: bool = True) -> Levels:
        """Return the levels from one on, as the rest of the backbone makes them of other maps.

        Modifiers behind the modules that run are applied again, and gradients flow through both passes. In training
        batch norms take the statistics of the batch here too, but their running ones are of the first pass alone.

        Args:
            name: the level.
            maps: (B', C, h, w), what takes its place.
            learns: whether the weights that run have gradients of this pass; the maps do in any case.

        Raises:
            ConfigError: there is no such level, nothing to run, or the backbone cannot be run in parts.
            ShapeError: the maps have other channels than the level.
        """
        if self._again is None:
            raise ConfigError(
                "These levels came without the backbone that made them, so nothing can be run again from "
                f"{name!r}. A head gets levels that can in a Localizer."
            )
        if name not in self:
            raise ConfigError(
                f"A second pass begins at one of the levels the backbone gives, but got {name!r}. "
                f"{nearest(name, self)} Ask for more with model.backbone.levels."
            )
        if maps.ndim != 4 or maps.shape[1] != self[name].shape[1]:
            raise ShapeError(
                f"Maps for a second pass from {name!r} should be (B, {self[name].shape[1]}, h, w), but got "
                f"{tuple(maps.shape)}."
            )
        return Levels(self._again(name, maps, self, learns), self._again)


class KnownLevels:
    """A batch of images of which the backbone's levels are known, in the place of the images (B, 3, H, W) themselves.

    A ``Localizer`` goes on from the levels. Parts may ask for length, shape and device; whatever wants the pixels is
    refused in words.

    Args:
        levels: the backbone's levels of the images; where ``place`` is given what ``Backbone.run_to`` gives there.
        size: (H, W) of the images.
        mirrored: gives those of the mirror images, where they are known too.
        place: the level that is known, from which the rest of the backbone runs; None where all of it has run.

    >>> known = KnownLevels({"layer4": torch.zeros(2, 8, 7, 7)}, (224, 224))
    >>> len(known), tuple(known.shape), len(known[:1])
    (2, (2, 3, 224, 224), 1)
    """

    ndim = 4

    def __init__(
        self,
        levels: Mapping[str, Tensor],
        size: tuple[int, int],
        mirrored: Callable[[], KnownLevels] | None = None,
        place: str | None = None,
    ) -> None:
        self.levels = levels
        self.size = size
        self.mirrored = mirrored
        self.place = place

    def __len__(self) -> int:
        return len(next(iter(self.levels.values())))

    def __getitem__(self, rows: Any) -> KnownLevels:
        return self._each(lambda level: level[rows])

    def _each(self, change: Callable[[Tensor], Tensor]) -> KnownLevels:
        mirrored = self.mirrored
        turned = None if mirrored is None else lambda: mirrored()._each(change)
        return KnownLevels({name: change(level) for name, level in self.levels.items()}, self.size, turned, self.place)

    @property
    def shape(self) -> torch.Size:
        """The shape of the images."""
        return torch.Size((len(self), 3, *self.size))

    @property
    def device(self) -> torch.device:
        """The device of the levels."""
        return next(iter(self.levels.values())).device

    def to(self, device: torch.device | str) -> KnownLevels:
        """Move the levels."""
        return self._each(lambda level: level.to(device))

    def flip(self, side: int) -> KnownLevels:
        """Return what is known of the mirror images, as ``images.flip(-1)`` would return these.

        Raises:
            ConfigError: it is not known.
        """
        if side not in (-1, 3) or self.mirrored is None:
            raise ConfigError(
                "The images are known by their cached features alone, without those of the mirror image that a part of "
                "the model asks for. Compute these too (mirror=True), or choose parts that do not mirror."
            )
        return self.mirrored()

    def new_zeros(self, *size: int) -> Tensor:
        """Return zeros on the device of the levels, as a tensor of images would."""
        return torch.zeros(*size, device=self.device)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> NoReturn:
        raise ConfigError(
            f"The images are known by their cached features alone, but a part of the model works on their pixels "
            f"(torch's {getattr(func, '__name__', func)}). Leave feature_cache out, or choose parts that read features."
        )


class Activation:
    """What a head makes of the features.

    Args:
        maps: (B, K, h, w), or (B, 1, h, w) for a class-agnostic map; or a function that makes them when they are first
            asked for, where training may not need them.
        logits: (B, K), or None where the head does not classify.
        features: (B, C, h, w), the features the maps were made from, for CAM methods and box extractors.
        extras: named further outputs (branches, embeddings) that a method's own losses read.

    Attributes:
        tape: what a CAM method kept of the pass behind it, see ``CamMethod.activate``; None by default.
        head: the name of the head that made it, which a ``Localizer`` tells; for messages.
    """

    tape: Any = None
    head: str = ""

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

    def need(self, key: str, asker: object) -> Tensor:
        """Return something that not every head gives: ``logits``, ``features`` or an extra.

        Args:
            key: its name.
            asker: the part that needs it, such as ``self``.

        Raises:
            HeadError: the head does not give it; the message names both parts and the heads that do.

        >>> Activation(torch.zeros(1, 2, 3, 3), extras={"seeds": torch.ones(1)}).need("seeds", "MyLoss")
        tensor([1.])
        >>> Activation(torch.zeros(1, 2, 3, 3)).need("logits", "MyLoss")
        Traceback (most recent call last):
        wsolkit.errors.HeadError: MyLoss needs logits, but the head gives none. Use head=dict(type='LinearHead').
        """
        found = getattr(self, key) if key in ("logits", "features") else self.extras.get(key)
        if found is None:
            raise self.refusal(key, asker)
        return found

    def refusal(self, key: str, asker: object, hint: str = "") -> HeadError:
        """Return what ``need`` raises, for a part that finds itself that what it was given will not do.

        Args:
            key: what it needs.
            asker: the part.
            hint: a sentence to be added.
        """
        return refusal(key, asker, self.head, self.extras, hint)

    def forget(self) -> None:
        """Let go of the tape, and of the memory that it holds."""
        if self.tape is not None:
            _ = self.maps  # those not made yet may be made of it
            self.tape = None

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
        images: (B, 3, H, W), normalised; a ``KnownLevels`` where a training reads cached features.
        labels: (B,) class indices, or (B, K) multi-hot or soft labels, or None.
        image_ids: B names.
        progress: how far the training is, in [0, 1].
        begins_pass: whether a pass over the training images begins with this batch.
        extras: what the data set says of the images beside their labels, by name, such as ``pseudo_maps``
            (B, 1, H, W) of an earlier stage; tensors with the images first, or lists of B. Never annotations.
    """

    images: Tensor
    labels: Tensor | None = None
    image_ids: Sequence[str] = ()
    progress: float = 0.0
    begins_pass: bool = False
    extras: Mapping[str, Any] = field(default_factory=dict)


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
