"""The kinds of value that stand in the file of a benchmark, each checked with its place in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsolkit.errors import ConfigError, nearest, shortened

__all__ = ["checked", "mapping_of", "names_of", "options_of", "part_of", "seeds_of"]


def checked(given: Any, keys: Sequence[str], place: str, example: str) -> dict[str, Any]:
    """Return a dict with no other keys than these.

    Raises:
        ConfigError: it is something else.
    """
    found = mapping_of(given, place, example)
    for key in found:
        if key not in keys:
            raise ConfigError(f"{place} takes no {key!r}. {nearest(str(key), keys)}")
    return found


def mapping_of(given: Any, place: str, example: str = '{"NAME": dict(...)}') -> dict[Any, Any]:
    """Return a dict.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(given, Mapping):
        raise ConfigError(f"{place} should be a dict: {example}, but got {shortened(repr(given))}.")
    return dict(given)


def part_of(given: Any, place: str) -> dict[str, Any]:
    """Return a part of a model, written ``dict(type=...)`` or by its name alone.

    Raises:
        ConfigError: it is something else.

    >>> part_of("GradCAM", "cam_method")
    {'type': 'GradCAM'}
    """
    if isinstance(given, str):
        return {"type": given}
    found = mapping_of(given, place, 'dict(type="NAME")')
    if "type" not in found:
        raise ConfigError(f'{place} names no type. Write dict(type="NAME", ...).')
    return found


def options_of(given: Any, place: str) -> dict[str, Any]:
    """Return options by dotted name.

    Raises:
        ConfigError: they are something else.
    """
    found = mapping_of({} if given is None else given, place, '{"dotted.name": value}')
    if not all(isinstance(name, str) for name in found):
        raise ConfigError(f"{place} should be {{'dotted.name': value}}, but got {shortened(repr(given))}.")
    return found


def names_of(given: Any, place: str) -> list[str]:
    """Return a list of names, each once.

    Raises:
        ConfigError: it is something else.
    """
    listed = isinstance(given, (list, tuple)) and all(isinstance(name, str) and name for name in given)
    if not listed or len(set(given)) < len(given):
        raise ConfigError(
            f'{place} should be a list of names, each once: ["NAME", ...], but got {shortened(repr(given))}.'
        )
    return list(given)


def seeds_of(given: Any, place: str) -> list[int]:
    """Return seeds.

    Raises:
        ConfigError: they are no different whole numbers, at least one.

    >>> seeds_of(3, "seeds")
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: seeds should be a list of different whole numbers, such as [0, 1, 2], but got 3.
    """
    listed = isinstance(given, (list, tuple)) and all(type(seed) is int and 0 <= seed < 2**32 for seed in given)
    if not listed or not given or len(set(given)) < len(given):
        raise ConfigError(
            f"{place} should be a list of different whole numbers, such as [0, 1, 2], but got {shortened(repr(given))}."
        )
    return list(given)
