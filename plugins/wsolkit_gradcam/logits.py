"""What both libraries are handed: a module from images to logits, the target layers in it, and tokens as maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wsolkit import (
    Activation,
    CamMethod,
    ConfigError,
    KnownLevels,
    MapNormalize,
    MapResize,
    Model,
    check_classes,
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
            f"`pip install {package}`.",
            about=part,
        ) from error


def method_of(module: Any, name: str, part: str) -> Any:
    """Return a method of a library by the name of its class.

    Raises:
        ConfigError: the library that is installed has none of that name.
    """
    if not hasattr(module, name):
        raise ConfigError(f"{part} finds no {name} in {module.__name__}. Install a newer one.", about=part)
    return getattr(module, name)


@contextmanager
def drawn_from(seed: int, device: torch.device) -> Iterator[None]:
    """Let whatever a library draws begin at a seed; what others draw goes on as if nothing had been drawn.

    >>> with drawn_from(3, torch.device("cpu")):
    ...     first = torch.rand(1), np.random.rand()
    >>> with drawn_from(3, torch.device("cpu")):
    ...     first == (torch.rand(1), np.random.rand())
    True
    """
    state = np.random.get_state()  # noqa: NPY002 (the libraries draw from numpy's one generator)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002


def map_transform(model: Model, images: Tensor, place: str, part: str) -> Callable[[Tensor], Tensor] | None:
    """Return what turns the output of a module into maps (B, C, h, w); None where it is one."""
    _, tape = watch(model, images[:1], [place], part, gradients=False)
    layout, size = tape.layouts[place], tape.size
    return None if layout.kind == "first" else lambda output: layout.to_maps(output, size)


class LibraryMaps(CamMethod):
    """What the adapters share: which module is looked at, and which images and classes are taken.

    Args:
        method: the name of the library's class.
        known: those that there are.
        at: the module, or None for the level that the head reads.
        seed: of what is drawn.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.

    Raises:
        ConfigError: there is no such method.
    """

    draws: frozenset[str] = frozenset()
    """Methods that draw: they are given one image at a time, so that a map does not depend on those beside it."""

    def __init__(
        self,
        method: str,
        known: Sequence[str],
        at: str | None,
        seed: int,
        resize: MapResize,
        normalize: MapNormalize,
    ) -> None:
        super().__init__(resize, normalize)
        if method not in known:
            part = type(self).__name__
            raise ConfigError(f"{part} knows no method {method!r}. {nearest(method, known)}", about=part)
        self.method, self.at, self.seed = method, at, seed

    def check(self, model: Model) -> None:
        """Refuse a model in which no module makes what is looked at.

        Raises:
            ConfigError: so it is.
        """
        self.place(model)

    def place(self, model: Model) -> str:
        """Return the name of the module that is looked at: that of ``at``, or the one that makes the head's level.

        Raises:
            ConfigError: there is none.
        """
        asked = self.at or head_level(model)
        return (
            model.backbone.module_of(asked)
            if asked in model.backbone.channels
            else find_module(model.backbone, asked)[0]
        )

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: the library is not there, the module is unknown, the head does not classify, or the images are
                known by cached features alone.
            ShapeError: a class is none of the head's.
        """
        part = type(self).__name__
        if isinstance(images, KnownLevels):
            raise ConfigError(
                f"{part} needs the images, which are known by their cached features alone. Leave feature_cache out.",
                about=part,
            )
        found = activation or model.activate(images)
        place = self.place(model)
        _, module = find_module(model.backbone, place)
        asked = classes if classes.ndim == 2 else classes[:, None]
        check_classes(asked, found.need("logits", self).shape[1])
        transform = map_transform(model, images, place, part)
        maps = []
        groups = 1 if self.method in self.draws else max(1, len(images))
        for labels in asked.unbind(1):
            parts = []
            for some, wanted in zip(images.split(groups), labels.split(groups), strict=True):
                with torch.enable_grad(), drawn_from(self.seed, images.device):
                    given = some.detach().clone().requires_grad_()  # frozen weights leave nothing else to go back to
                    parts.append(self.library_maps(Logits(model), module, transform, given, wanted.tolist()).detach())
            maps.append(torch.cat(parts))
        found_maps = torch.stack([each.to(images.device).float() for each in maps], 1)
        return found_maps if classes.ndim == 2 else found_maps[:, 0]

    def library_maps(
        self, logits: Logits, module: nn.Module, transform: Any, images: Tensor, classes: list[int]
    ) -> Tensor:
        """Return the library's maps (B, h, w) of one class of each image."""
        raise NotImplementedError
