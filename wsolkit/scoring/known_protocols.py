"""The protocols there are: the core's without torch, plugins' where one of theirs is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wsolkit.errors import ConfigError, nearest
from wsolkit.evaluation.protocol import Protocol
from wsolkit.evaluation.protocols import PROTOCOLS

__all__ = ["find_protocols"]


def find_protocols(names: Iterable[str] = ()) -> Mapping[str, type[Protocol]]:
    """Return the protocols by name: the core's, and plugins' where a name is none of the core's.

    Args:
        names: names that are asked for.

    Raises:
        ConfigError: nothing has one of the names.

    >>> list(find_protocols(["PxAP"])) == list(PROTOCOLS)
    True
    """
    if all(name in PROTOCOLS for name in names):
        return PROTOCOLS
    from wsolkit.registry import PROTOCOLS as REGISTERED

    known = {**PROTOCOLS, **{name: REGISTERED.get(name) for name in REGISTERED.names()}}
    for name in names:
        if name not in known:
            raise ConfigError(f"There is no protocol {name!r}. {nearest(name, known)}")
    return known
