"""Options of a configuration: values by dotted name, compared with what the named components take, then put in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from mmengine.config import Config

from wsolkit.config.check import TOP, arguments_at
from wsolkit.config.parts import home_of, named_arguments
from wsolkit.errors import ConfigError, nearest

__all__ = ["apply_options", "dotted"]

HOOK_NAMES = ("runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint")
"""Hooks of mmengine by their names in ``default_hooks``."""


def apply_options(config: Config, options: Mapping[str, Any]) -> None:
    """Put options into a configuration.

    Types come first, whatever the order: ``model.box_extractor.step=0.1`` is for the type that
    ``model.box_extractor.type=...`` names. Arguments of the old type that the new one does not take go away. What is
    set as a whole comes before what is set inside it later; what was set inside it before is lost.

    Raises:
        ConfigError: a name leads nowhere, or sets something that nothing reads; with the nearest names.
    """
    names = list(options)
    inside = {name: options[name] for place, name in enumerate(names) if not above(name).isdisjoint(names[:place])}
    if inside:
        apply_options(config, {name: value for name, value in options.items() if name not in inside})
        apply_options(config, inside)
        return
    for option in sorted(options, key=lambda option: option.count(".")):
        path = tuple(option.split("."))
        if path[-1] == "type":
            change_types(path[:-1], part_at(config, path[:-1]), {"type": options[option]})
        else:
            change_types(path, part_at(config, path), options[option])
    check_options(config, options)
    try:
        config.merge_from_dict(deepcopy(dict(options)))  # merging takes keys out of it
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"The options {dict(options)} do not fit the configuration: {error}") from None


def above(option: str) -> set[str]:
    """Return the dotted names of everything that an option lies in.

    >>> sorted(above("model.head.bias"))
    ['model', 'model.head']
    """
    parts = option.split(".")
    return {".".join(parts[:depth]) for depth in range(1, len(parts))}


def part_at(config: Config, path: tuple[str, ...]) -> Any:
    """Return what stands at a place of a configuration, or None where that leads nowhere."""
    node: Any = config._cfg_dict
    for segment in path:
        if isinstance(node, (list, tuple)) and segment.isdigit() and int(segment) < len(node):
            node = node[int(segment)]
        elif isinstance(node, Mapping):
            node = node.get(segment)
        else:
            return None
    return node


def change_types(path: tuple[str, ...], node: Any, new: Any) -> None:
    """Give a component, and those inside it, their new types; what these do not take goes away."""
    if not isinstance(node, dict) or not isinstance(new, Mapping) or "_delete_" in new:
        return
    kind = new.get("type", node.get("type"))
    if kind != node.get("type"):
        node["type"] = kind
        home = home_of(path, node)
        known = None if home is None else named_arguments(home, node)
        for key in [key for key in node if known is not None and key not in known]:
            del node[key]
    for key, value in new.items():
        change_types((*path, str(key)), node.get(key), value)


def check_options(config: Config, options: Mapping[str, Any]) -> None:
    """Compare the dotted names of options with the configuration they are for.

    Raises:
        ConfigError: a name leads nowhere, or sets something that nothing reads; with the nearest names.
    """
    for option in options:
        check_option(config, option, options)


def check_option(config: Config, option: str, options: Mapping[str, Any]) -> None:
    """Look where one option leads.

    Raises:
        ConfigError: as ``check_options``.
    """
    segments = option.split(".")
    if segments[0] not in TOP and not segments[0].startswith("_"):
        raise ConfigError(unknown_top(config, segments[0], option))
    node: Any = config._cfg_dict
    for depth, segment in enumerate(segments):
        place = tuple(segments[:depth])
        here = ".".join(place) or "the configuration"
        if isinstance(node, (list, tuple)):
            if not segment.isdigit() or int(segment) >= len(node):
                raise ConfigError(
                    f"The option {option} does not fit: {here} is a list of {len(node)}, so that a number from 0 to "
                    f"{len(node) - 1} should follow, but got {segment!r}."
                )
            node = node[int(segment)]
            continue
        if not isinstance(node, Mapping):
            raise ConfigError(f"The option {option} leads nowhere: {here} is {node!r}, which has no parts.")
        if segment in node:
            node = node[segment]
            if node is None:
                return
            continue
        known = arguments_at(place, node)
        if known is not None and segment in known:
            return
        made = ".".join(segments[: depth + 1])
        free = known is None and (depth == len(segments) - 1 and ("type" in node or "paramwise_cfg" in place))
        if free or f"{made}.type" in options or "paramwise_cfg" in place:
            return
        offered = set(known or ()) | set(node)
        if place == ("default_hooks",):
            offered |= set(HOOK_NAMES)
        raise ConfigError(
            f"The option {option} leads nowhere: there is no {segment!r} in {here}. {nearest(segment, offered)}"
        )


def unknown_top(config: Config, name: str, option: str) -> str:
    """Explain an option whose first name is no setting: misspelt, or a nested one."""
    inside = [path for path in dotted(config._cfg_dict) if path.rpartition(".")[2] == option]
    start = f"The option {option} leads nowhere: there is no setting {name!r}."
    if inside:
        return f"{start} Did you mean {' or '.join(map(repr, inside[:3]))}?"
    return f"{start} {nearest(name, TOP)}"


def dotted(node: Any, prefix: str = "") -> Iterator[str]:
    """Yield the dotted names of everything below the top of a configuration."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(node, Mapping):
        items = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    for key, value in items:
        path = f"{prefix}.{key}" if prefix else str(key)
        if prefix:
            yield path
        yield from dotted(value, path)
