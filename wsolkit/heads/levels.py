"""Which level of the backbone a head reads."""

from __future__ import annotations

from collections.abc import Mapping

from wsolkit.errors import ConfigError, nearest

__all__ = ["choose_level"]


def choose_level(channels: Mapping[str, int], level: str | None = None) -> str:
    """Return the name of the level to read: the given one, or the deepest.

    Raises:
        ConfigError: the backbone has no such level.

    >>> choose_level({"layer3": 1024, "layer4": 2048})
    'layer4'
    """
    if level is None:
        return list(channels)[-1]
    if level not in channels:
        raise ConfigError(f"The backbone gives no level {level!r} to the head. {nearest(level, channels)}")
    return level
