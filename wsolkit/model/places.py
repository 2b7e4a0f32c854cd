"""Modifiers on the input images and on the head's maps: what their place tells them, and where they may not sit."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from wsolkit.components.backbones.token_levels import ATTENTION, CLS, split_level
from wsolkit.errors import ConfigError
from wsolkit.interfaces import ActivationHead, MapModifier
from wsolkit.model.attach import build_modifier
from wsolkit.registry import MODIFIERS

__all__ = ["IMAGE", "MAPS", "channels_of_maps", "check_place", "modifier_for_images", "modifier_for_maps"]

IMAGE = "image"
MAPS = "maps"
RGB = 3


def check_place(config: Mapping[str, Any], place: Any, backbone: nn.Module, head: nn.Module) -> None:
    """Refuse a place that is none, or that a modifier cannot sit at.

    Args:
        config: the modifier's configuration.
        place: its ``at``.
        backbone: the model's.
        head: the model's.

    Raises:
        ConfigError: so it is.
    """
    if not isinstance(place, str):
        raise ConfigError(
            f"A modifier needs at='{IMAGE}', at='{MAPS}' or the dotted name of a module of the backbone, "
            f"but got {place!r} in {dict(config)}."
        )
    only = getattr(component_of(config), "only_at", None)
    if only is not None and place != only:
        where = f"the maps of {type(head).__name__}" if place == MAPS else f"{place!r} of {type(backbone).__name__}"
        raise ConfigError(f"{config['type']} works at='{only}' alone, but sits at {where}. Write at='{only}'.")


def check_inner_places(modifier: nn.Module, place: str) -> None:
    """Refuse a modifier inside another one that cannot work where the outer one sits.

    Args:
        modifier: the outer one, built.
        place: where it sits: ``image``, ``maps`` or the name of a module.

    Raises:
        ConfigError: so it is.
    """
    for part in modifier.modules():
        only = getattr(part, "only_at", None)
        if only is not None and only != place:
            inner, outer = type(part).__name__, type(modifier).__name__
            where = f"at={place!r}" if part is modifier else f"inside {outer} at={place!r}"
            raise ConfigError(
                f"{inner} works at='{only}' alone, but sits {where}. Write at='{only}', or take another part than "
                f"{inner}."
            )


def modifier_for_images(config: Mapping[str, Any], preprocessor: nn.Module) -> MapModifier:
    """Build a modifier for the input images, with what normalises them where it asks for that."""
    modifier = build_modifier(with_facts(config, preprocessor=preprocessor), lambda: RGB)
    check_inner_places(modifier, IMAGE)
    return modifier


def modifier_for_maps(config: Mapping[str, Any], head: ActivationHead, channels: Mapping[str, int]) -> MapModifier:
    """Build a modifier for the maps of a head, with its number of maps per class where it asks for that.

    Args:
        config: the modifier's configuration, without ``at``.
        head: the head.
        channels: channels of the backbone's levels, by name.

    Raises:
        ConfigError: the head takes no modifiers on its maps, or the two disagree.
    """
    name = type(head).__name__
    if not head.takes_map_modifiers:
        raise ConfigError(
            f"{config.get('type')} sits at='{MAPS}', but {name} does not make its logits from its maps, so it would "
            "change nothing. Use a head that does, such as ConvHead."
        )
    several = getattr(head, "maps_per_class", 1)
    if config.get("maps_per_class", several) != several:
        raise ConfigError(
            f"{config.get('type')} has maps_per_class={config['maps_per_class']}, but the head {name} has "
            f"maps_per_class={several}. Leave it out of the modifier."
        )
    try:
        modifier = build_modifier(with_facts(config, maps_per_class=several), lambda: channels_of_maps(head, channels))
        check_inner_places(modifier, MAPS)
        return modifier
    except ConfigError as error:
        raise ConfigError(f"{error} (It sits on the maps of {name}.)") from error


@torch.no_grad()
def channels_of_maps(head: ActivationHead, channels: Mapping[str, int]) -> int:
    """Return the channels of the maps that a head passes through its map modifiers, from one run on empty levels.

    Args:
        head: a head that takes map modifiers.
        channels: channels of the backbone's levels, by name.

    Raises:
        ConfigError: the head passes no maps through them.

    >>> from wsolkit.components.heads import ConvHead
    >>> channels_of_maps(ConvHead({"deep": 8}, num_classes=3, maps_per_class=2), {"deep": 8})
    6
    """
    seen: list[int] = []
    handle = head.map_modifiers.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].shape[1]))
    training = head.training
    try:
        _ = head.eval()({name: torch.zeros(empty_shape(name, width)) for name, width in channels.items()}).maps
    finally:
        handle.remove()
        head.train(training)
    if not seen:
        raise ConfigError(
            f"{type(head).__name__} says that it takes map modifiers, but passes no maps through head.map_modifiers. "
            "Its forward should, or it should set takes_map_modifiers = False."
        )
    return seen[0]


def empty_shape(level: str, channels: int) -> tuple[int, int, int, int]:
    """Return the shape of a level of one image with 8 x 8 cells and a class token.

    >>> empty_shape("final", 5), empty_shape("blocks.1.attention", 3), empty_shape("final.cls", 5)
    ((1, 5, 8, 8), (1, 3, 65, 65), (1, 5, 1, 1))
    """
    side = {ATTENTION: 65, CLS: 1}.get(split_level(level)[1], 8)
    return (1, channels, side, side)


def with_facts(config: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    """Return a modifier's configuration with those facts about its place that its ``__init__`` asks for by name.

    A modifier inside another one is told as well.
    """
    component = component_of(config)
    asked = inspect.signature(component).parameters if component is not None else {}
    told = {
        key: with_facts(value, **facts) if isinstance(value, Mapping) and MODIFIERS.knows(value.get("type")) else value
        for key, value in config.items()
    }
    return {**{name: fact for name, fact in facts.items() if name in asked}, **told}


def component_of(config: Mapping[str, Any]) -> Any:
    """Return the class that a configuration names, or None where it names none."""
    kind = config.get("type")
    return MODIFIERS.get(kind) if isinstance(kind, str) else kind
