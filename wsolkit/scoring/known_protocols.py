"""The protocols there are: the core's without torch, plugins' where one of theirs is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wsolkit.errors import ConfigError, PluginError, nearest
from wsolkit.evaluation.protocol import Protocol
from wsolkit.evaluation.protocols import PROTOCOLS

__all__ = ["find_protocols"]


def find_protocols(names: Iterable[str] = ()) -> Mapping[str, type[Protocol]]:
    """Return the protocols by name: the core's, and plugins' where a name is none of the core's.

    Args:
        names: names that are asked for.

    Raises:
        ConfigError: nothing has one of the names.
        PluginError: a plugin's protocol does not say what it measures or needs, or cannot be imported.

    >>> list(find_protocols(["PxAP"])) == list(PROTOCOLS)
    True
    """
    if all(name in PROTOCOLS for name in names):
        return PROTOCOLS
    from wsolkit.registry import PROTOCOLS as REGISTERED

    known = {**PROTOCOLS, **{name: whole(name, REGISTERED.get(name)) for name in REGISTERED.names()}}
    for name in names:
        if name not in known:
            raise ConfigError(f"There is no protocol {name!r}. {nearest(name, known)}")
    return known


def whole(name: str, kind: type[Protocol]) -> type[Protocol]:
    """Return a protocol's class if it says what tables and the choice of protocols ask of it.

    Raises:
        PluginError: it has no ``summary`` or no ``needs``.
    """
    where = f"Protocol {name!r} ({kind.__module__}.{kind.__qualname__})"
    summary, needs = getattr(kind, "summary", None), getattr(kind, "needs", None)
    if not isinstance(summary, str) or not summary:
        raise PluginError(f"{where} should say in a line what it measures, but its summary is {summary!r}. Set it.")
    if not isinstance(needs, (set, frozenset)):
        raise PluginError(
            f"{where} should say what data it needs, but its needs are {needs!r}. Set them to a frozenset of BOXES, "
            "MASKS, LOGITS, SINGLE_LABEL and MULTI_LABEL of wsolkit.evaluation; an empty one for none."
        )
    return kind
