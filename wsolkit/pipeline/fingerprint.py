"""What decides the result of a stage, and a fingerprint of it: a stage whose fingerprint has changed is stale."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit.errors import ConfigError, shortened
from wsolkit.files import LOCK
from wsolkit.interfaces import Stage
from wsolkit.pipeline.placeholders import has_placeholder

__all__ = ["Declaration", "changes", "declare"]

VERSION = 1
SHOWN = 3


@dataclass(frozen=True)
class Declaration:
    """What decides the result of a stage, as plain data.

    Attributes:
        type: name of the stage's class.
        arguments: as they are written in the configuration.
        builds_on: fingerprints of the earlier stages it refers to, by name.
        settings: what the stage itself declares, such as a resolved configuration.
        inputs: size and time of change (ns) of the files it reads from outside, by path.
    """

    type: str
    arguments: Mapping[str, Any]
    builds_on: Mapping[str, str]
    settings: Mapping[str, Any]
    inputs: Mapping[str, Sequence[int]]

    @property
    def fingerprint(self) -> str:
        """A SHA-256 over all of it."""
        text = json.dumps([VERSION, asdict(self)], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def declare(kind: str, arguments: Mapping[str, Any], builds_on: Mapping[str, str], stage: Stage) -> Declaration:
    """Return the declaration of a stage.

    Args:
        kind: name of its class.
        arguments: as written.
        builds_on: fingerprints of the stages it refers to.
        stage: built with its arguments as written.

    Raises:
        ConfigError: a file it reads is not there, or an argument is no plain data.
    """
    settings = stage.declares()
    inputs = [Path(path) for path in stage.inputs()]
    return Declaration(
        kind, plain(arguments), dict(builds_on), plain(settings, lenient=True), dict(state_of_files(inputs))
    )


def plain(value: Any, lenient: bool = False, place: str = "") -> Any:
    """Return a value as JSON has it: the same value always gives the same text.

    Args:
        value: anything.
        lenient: give names for what is no plain data, instead of refusing it.
        place: dotted name of the value, for errors.

    Raises:
        ConfigError: it is no plain data.

    >>> plain({"a": (1, Path("b")), 3: None})
    {'a': [1, 'b'], '3': None}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item, lenient, f"{place}.{key}".lstrip(".")) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, lenient, f"{place}.{number}".lstrip(".")) for number, item in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item, lenient, place) for item in value), key=repr)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    if lenient:
        named = value if hasattr(value, "__qualname__") else type(value)
        return f"{named.__module__}.{named.__qualname__}"
    kind = type(value).__name__
    raise ConfigError(f"The argument {place} has the type {kind}. Write texts, numbers, lists and dicts only.")


def state_of_files(paths: Sequence[Path]) -> Iterator[tuple[str, list[int]]]:
    """Yield each file with its size and time of change; a folder stands for everything in it.

    Raises:
        ConfigError: a file is not there.
    """
    for path in paths:
        if has_placeholder(str(path)):
            continue
        path = path.expanduser().absolute()
        if not path.exists():
            raise ConfigError(f"It reads {path}, but there is no such file. Check the path.")
        if not path.is_dir():
            yield str(path), stat_of(path)
            continue
        digest, files = hashlib.sha256(), 0
        for inner in sorted(path.rglob("*")):
            if inner.is_file() and inner.name != LOCK:
                files += 1
                digest.update(f"{inner.relative_to(path).as_posix()}\t{stat_of(inner)}\n".encode("utf-8", "replace"))
        yield str(path), [files, int.from_bytes(digest.digest()[:6])]


def stat_of(path: Path) -> list[int]:
    """Return size and time of change in ns."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def changes(before: Mapping[str, Any], wanted: Declaration) -> list[str]:
    """Say what differs between a recorded declaration and the one of the configuration, in words, the cause first.

    >>> changes({"type": "A", "arguments": {"cut": 0.2}}, Declaration("A", {"cut": 0.3}, {}, {}, {}))
    ['cut was 0.2 and is 0.3']
    """
    said = []
    if before.get("type") != wanted.type:
        said.append(f"its type was {before.get('type')} and is {wanted.type}")
    said += differences(before.get("arguments") or {}, wanted.arguments)
    earlier = before.get("builds_on") or {}
    for name, fingerprint in wanted.builds_on.items():
        if name in earlier and earlier[name] != fingerprint:
            said.append(f"stage {name!r}, which it builds on, has changed")
    files = before.get("inputs") or {}
    for path in {**files, **wanted.inputs}:
        if path not in wanted.inputs:
            said.append(f"it no longer reads {path}")
        elif path not in files:
            said.append(f"it reads {path}, which it did not")
        elif list(files[path]) != list(wanted.inputs[path]):
            said.append(f"the file {path} has changed")
    if not said:
        said += differences(before.get("settings") or {}, wanted.settings)
    return said or ["it was made by another version of wsolkit"]


def differences(before: Any, after: Any) -> list[str]:
    """Say which entries of nested plain data differ, the first few."""
    old, new = dict(leaves(before)), dict(leaves(after))
    said = []
    for key in dict.fromkeys((*old, *new)):
        if key not in new:
            said.append(f"{key} was {short(old[key])} and is gone")
        elif key not in old:
            said.append(f"{key} is {short(new[key])} and was not set")
        elif old[key] != new[key]:
            said.append(f"{key} was {short(old[key])} and is {short(new[key])}")
    return said if len(said) <= SHOWN else [*said[:SHOWN], f"and {len(said) - SHOWN} more"]


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and value of everything in nested plain data."""
    items: Any = None
    if isinstance(value, Mapping) and value:
        items = value.items()
    elif isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        items = enumerate(value)
    if items is None:
        if place:
            yield place, value
        return
    for key, item in items:
        yield from leaves(item, f"{place}.{key}" if place else str(key))


def short(value: Any) -> str:
    """Return a value as it is written, cut where it is long."""
    return shortened(repr(value))
