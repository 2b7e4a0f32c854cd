"""What both libraries are handed: a module from images to logits, the target layers in it, and tokens as maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from wsolkit import (
    Activation,
    CamMethod,
    ConfigError,
    KnownLevels,
    Model,
    check_places,
    find_module,
    head_level,
    nearest,
    watch,
)

__all__ = ["LibraryMaps", "Logits", "library", "map_transform"]


class Logits(nn.Module):
    """A model as a module from images (B, 3, H, W) to logits (B, K)."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        logits = self.model.activate(images).logits
        assert logits is not None
        return logits


def library(module: str, package: str, part: str) -> Any:
    """Return a module of a library.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"{part} needs the library {package}, which cannot be imported ({error}). Install it with "
            f"`pip install {package}`, or both libraries with `pip install wsolkit[cam]`.",
            about=part,
        ) from error


def method_of(module: Any, name: str, part: str, names: Sequence[str]) -> Any:
    """Return a method of a library by the name of its class.

    Raises:
        ConfigError: it has none of that name.
    """
    if name not in names or not hasattr(module, name):
        raise ConfigError(f"{part} knows no method {name!r}. {nearest(name, [*names])}", about=part)
    return getattr(module, name)


def map_transform(model: Model, images: Tensor, place: str, part: str) -> Callable[[Tensor], Tensor] | None:
    """Return what turns the output of a module into maps (B, C, h, w); None where it is one."""
    _, tape = watch(model, images[:1], [place], part, gradients=False)
    layout, size = tape.layouts[place], tape.size
    return None if layout.kind == "first" else lambda output: layout.to_maps(output, size)


class LibraryMaps(CamMethod):
    """What the adapters share: which module is looked at, and which images and classes are taken.

    Attributes:
        part: the name of the adapter.
        at: the module, or None for the level that the head reads.
    """

    at: str | None = None

    def check(self, model: Model) -> None:
        """Refuse a model whose backbone lacks the place.

        Raises:
            ConfigError: it does.
        """
        check_places(model, () if self.at is None else (self.at,))

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: the library is not there, the module is unknown, the head does not classify, or the images are
                known by cached features alone.
        """
        part = type(self).__name__
        if isinstance(images, KnownLevels):
            raise ConfigError(
                f"{part} needs the images, which are known by their cached features alone. Leave feature_cache out.",
                about=part,
            )
        found = activation or model.activate(images)
        if found.logits is None:
            head = type(model.head).__name__
            raise ConfigError(
                f"{part} needs class scores, but {head} does not classify. Take a head that does, such as LinearHead.",
                about=head,
            )
        place = self.at or head_level(model)
        _, module = find_module(model.backbone, place)
        asked = classes if classes.ndim == 2 else classes[:, None]
        transform = map_transform(model, images, place, part)
        maps = []
        for labels in asked.unbind(1):
            with torch.enable_grad():
                given = images.detach().clone().requires_grad_()  # frozen weights leave nothing else to go back to
                maps.append(self.library_maps(Logits(model), module, transform, given, labels.tolist()).detach())
        found_maps = torch.stack([each.to(images.device).float() for each in maps], 1)
        return found_maps if classes.ndim == 2 else found_maps[:, 0]

    def library_maps(
        self, logits: Logits, module: nn.Module, transform: Any, images: Tensor, classes: list[int]
    ) -> Tensor:
        """Return the library's maps (B, h, w) of one class of each image."""
        raise NotImplementedError
