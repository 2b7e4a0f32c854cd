"""Puts map modifiers behind modules of a backbone by name, without editing the backbone.

A modifier hangs on a forward hook and is owned by the caller, who keeps it in an ``nn.ModuleDict`` so that it is
trained, saved and moved; ``attach_modifiers`` returns that dict. Its keys are the places with ``_`` for dots, so state
dicts do not depend on the order of a configuration. The hook holds the modifier as an attribute, so a deep copy of the
model works with its own copy.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from wsolkit.errors import ConfigError, ShapeError, nearest
from wsolkit.interfaces import Backbone, MapModifier
from wsolkit.model.map_layout import MapLayout, layout_of
from wsolkit.modules import find_module, names_in
from wsolkit.registry import MODIFIERS

__all__ = [
    "AttachedModifier",
    "attach_modifier",
    "attach_modifiers",
    "build_modifier",
    "modified_modules",
    "tell_image_size",
]


@dataclass(frozen=True)
class AttachedModifier:
    """A modifier in its place.

    Attributes:
        modifier: the module, to be kept where it is trained, saved and moved.
        name: the full dotted name of the module it sits behind.
        channels: channels at that place.
        handles: the hooks it hangs on.
    """

    modifier: MapModifier
    name: str
    channels: int
    handles: tuple[RemovableHandle, ...]

    def remove(self) -> None:
        """Take the modifier out of the backbone again."""
        for handle in self.handles:
            handle.remove()


def attach_modifiers(backbone: Backbone, cfgs: Iterable[Mapping[str, Any]]) -> nn.ModuleDict:
    """Put modifiers behind modules of a backbone and return them by place.

    Args:
        backbone: the backbone.
        cfgs: configurations with ``at``, the dotted name of a module, beside the modifier's own ``type`` and arguments.
            Several at one place work in this order.

    Returns:
        The modifiers under their places with ``_`` for dots, the second at a place with ``_2`` behind it.

    Raises:
        ConfigError: a place or a modifier is unknown, or ``at`` is missing.
        ShapeError: there are no maps at a place.
    """
    kept = nn.ModuleDict()
    for cfg in cfgs:
        options = dict(cfg)
        at = options.pop("at", None)
        if not isinstance(at, str):
            raise ConfigError(f"A map modifier needs at='NAME OF A MODULE', but got {dict(cfg)!r}.")
        attached = attach_modifier(backbone, at, options)
        place, number = at.replace(".", "_"), 2
        key = place
        while key in kept:
            key, number = f"{place}_{number}", number + 1
        kept[key] = attached.modifier
    return kept


def attach_modifier(backbone: Backbone, at: str, modifier: MapModifier | Mapping[str, Any]) -> AttachedModifier:
    """Put one modifier behind a module of a backbone.

    One empty image is run through the backbone in eval mode to see what the place gives, so a place without maps is
    reported now and not in training. Maps may be (B, C, h, w), channels last (B, h, w, C) as in Swin, or tokens
    (B, P + h * w, C) as in ViT, whose P prefix tokens pass unchanged; the modifier sees (B, C, h, w) in every case.

    Args:
        backbone: the backbone.
        at: dotted name of one of its modules; where the backbone wraps a model, the wrapper's name may be left out
            (``layer3`` for ``model.layer3``).
        modifier: a modifier, or its configuration; ``channels`` is filled in where it is asked for and not given.

    Raises:
        ConfigError: the module is unknown or does not run, or the modifier is unknown or given wrong arguments.
        ShapeError: what the module returns is no map.

    >>> from wsolkit.components.backbones.vgg_gap import VGG16GAP
    >>> from wsolkit.components.modifiers import DropBlock
    >>> attached = attach_modifier(VGG16GAP(extra_channels=8), "pool3", DropBlock(block_size=3))
    >>> attached.name, attached.channels
    ('pool3', 256)
    """
    name, module = find_module(backbone, at)
    seen = _probe(backbone, module)
    if not seen:
        raise ConfigError(
            f"Module {at!r} is never called as a whole by {type(backbone).__name__}, so nothing can sit behind it. "
            f"Choose one of its parts. {nearest(at + '.0', names_in(backbone))}"
        )
    output, images = seen[0]
    layout = layout_of(backbone, at, output, tuple(images.shape[-2:]), "A map modifier")
    grid = None if layout.kind == "first" else _Grid(layout)
    if not isinstance(modifier, MapModifier):
        modifier = build_modifier(modifier, lambda: layout.channels)
    handles: tuple[RemovableHandle, ...] = (module.register_forward_hook(_ModifierHook(modifier, grid)),)
    if grid is not None and layout.kind == "tokens":
        handles += (backbone.register_forward_pre_hook(grid),)
    return AttachedModifier(modifier, name, layout.channels, handles)


def modified_modules(backbone: nn.Module) -> list[tuple[str, MapModifier]]:
    """Return the full names of the modules that modifiers sit behind, each with its modifier."""
    return [
        (name, hook.modifier)
        for name, module in backbone.named_modules()
        for hook in module._forward_hooks.values()
        if isinstance(hook, _ModifierHook)
    ]


def tell_image_size(backbone: nn.Module, size: tuple[int, int]) -> None:
    """Tell modifiers on tokens the (H, W) of images that do not go through the backbone themselves."""
    for hook in backbone._forward_pre_hooks.values():
        if isinstance(hook, _Grid):
            hook.size = size


class _ModifierHook:
    """A forward hook that passes a module's output through a modifier, unless all of them are paused."""

    paused: ClassVar[bool] = False

    def __init__(self, modifier: MapModifier, grid: _Grid | None) -> None:
        self.modifier = modifier
        self.grid = grid

    def __call__(self, _module: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        if self.paused or (self.modifier.train_only and not self.modifier.training):
            return output
        modified = self.modifier(output) if self.grid is None else self.grid.modify(output, self.modifier)
        if modified.shape != output.shape:
            raise ShapeError(
                f"{type(self.modifier).__name__} was given maps that make up {tuple(output.shape)} and returned "
                f"{tuple(modified.shape)}. A map modifier has to keep the shape.",
                about=type(self.modifier).__name__,
            )
        return modified


class _Grid:
    """Turns what a module gives into maps and back for a modifier; a hook of the backbone that notes the image size."""

    def __init__(self, layout: MapLayout) -> None:
        self.layout = layout
        self.size: tuple[int, ...] = (0, 0)

    def __call__(self, _backbone: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.size = tuple(inputs[0].shape[-2:])

    def modify(self, output: Tensor, modifier: MapModifier) -> Tensor:
        """Apply a modifier to (B, h, w, C) or (B, P + h * w, C)."""
        maps = modifier(self.layout.to_maps(output, self.size))
        return self.layout.from_maps(maps, output, self.size)


def build_modifier(cfg: Mapping[str, Any], channels: Callable[[], int]) -> MapModifier:
    """Build a modifier and give it the channels of its place where its ``__init__`` asks for them.

    Args:
        cfg: its configuration, without ``at``.
        channels: tells the channels of the place; called where they are asked for and not given.

    Raises:
        ConfigError: the modifier is unknown or given wrong arguments.
    """
    options = dict(cfg)
    kind = options.get("type")
    component = MODIFIERS.get(kind) if isinstance(kind, str) else kind
    if component is not None and "channels" not in options and "channels" in inspect.signature(component).parameters:
        options["channels"] = channels()
    return MODIFIERS.build(options)


@torch.no_grad()
def _probe(backbone: Backbone, module: nn.Module) -> list[tuple[Any, Tensor]]:
    """Run one empty image through the backbone, past other modifiers; return what the module gave, with the image."""
    height, width = getattr(backbone, "probe_size", (96, 96))
    weight = next(backbone.parameters(), torch.empty(0))
    images = torch.zeros(1, 3, height, width, device=weight.device, dtype=weight.dtype)
    seen: list[tuple[Any, Tensor]] = []
    handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append((output, images)))
    modes = {part: part.training for part in backbone.modules()}
    backbone.eval()
    _ModifierHook.paused = True
    try:
        backbone(images)
    finally:
        _ModifierHook.paused = False
        handle.remove()
        for part, training in modes.items():
            part.training = training
    return seen
