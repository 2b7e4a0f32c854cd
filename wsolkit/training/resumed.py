"""What a resumed training does otherwise than the one it goes on with, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from wsolkit.config.stored import STORED, config_text, stored_document
from wsolkit.errors import CheckpointError, shortened

__all__ = ["changed_settings"]

APART = ("seed", "data_root", "collect_dir")
"""Entries that may differ unsaid: seeds, and folders that were moved."""

MOST = 12


def changed_settings(meta: Mapping[str, Any], config: Config) -> str:
    """Say which entries of a configuration are others than those of the training that wrote a checkpoint.

    Args:
        meta: what the checkpoint says of itself.
        config: the resolved configuration of the training that goes on.

    Returns:
        A sentence; nothing where all are the same, but for seeds and folders, or the checkpoint holds no settings.
    """
    try:
        before, now = (stored_document({"meta": each}, "")["config"] for each in (meta, {**meta, **texts(config)}))
    except CheckpointError:
        return ""
    old, new = str(before.get("data_root") or ""), str(now.get("data_root") or "")

    def same(one: Any, other: Any) -> bool:
        moved = old and isinstance(one, str) and isinstance(other, str) and one.replace(old, new, 1) == other
        return one == other or bool(moved)

    changes = [
        f"{place} was {shown(one)} and is {shown(other)} now"
        for place, one, other in differences(before, now)
        if place.rpartition(".")[2] not in APART and not same(one, other)
    ]
    if not changes:
        return ""
    more = f", and {len(changes) - MOST} more" if len(changes) > MOST else ""
    return f"The training goes on with other settings than it was begun with: {', '.join(changes[:MOST])}{more}."


def differences(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield where two pieces of plain data differ, with what is there in each; None stands for what is not there.

    >>> list(differences({"a": [1, {"b": 2}], "c": 3}, {"a": [1, {"b": 4}]}))
    [('a.1.b', 2, 4), ('c', 3, None)]
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            yield from differences(one.get(key), other.get(key), f"{place}.{key}" if place else str(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{place}.{number}")
    elif one != other:
        yield place, one, other


def texts(config: Config) -> dict[str, str]:
    """Return what a checkpoint of a training with a configuration would hold of it."""
    return {STORED: config_text(config)}


def shown(value: Any) -> str:
    """Return a value as it is told, or that there is none."""
    return "not set" if value is None else shortened(repr(value), 60)
