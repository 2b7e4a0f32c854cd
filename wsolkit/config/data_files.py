"""Configurations written as data, YAML or JSON: read without running anything, however they were made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from wsolkit.errors import ConfigError, DataError
from wsolkit.text_files import decode_text, parse_json

__all__ = ["read_data"]

MOST = 100_000
"""How many more values than a file holds its aliases may stand for."""


class PlainLoader(yaml.SafeLoader):
    """Reads values, and the tuples that mmengine writes; every other tag of Python's is refused."""


PlainLoader.add_constructor(
    "tag:yaml.org,2002:python/tuple", lambda loader, node: tuple(loader.construct_sequence(node, deep=True))
)


def read_data(path: Path, name: str | Path) -> dict[str, Any]:
    """Read a YAML or JSON file of a configuration; nothing in it is run.

    Args:
        path: the file.
        name: how messages call it.

    Raises:
        ConfigError: it is no YAML or JSON, asks for Python objects, is nested without end, or is no mapping.
    """
    try:
        text = decode_text(path.read_bytes(), f"The configuration {name}")
        json = path.suffix == ".json"
        content = parse_json(text, f"The configuration {name}") if json else yaml.load(text, PlainLoader)
        count_values(content)
    except DataError as error:
        raise ConfigError(str(error)) from None
    except yaml.constructor.ConstructorError as error:
        line = "" if error.problem_mark is None else f":{error.problem_mark.line + 1}"
        raise ConfigError(
            f"{name}{line}: {error.problem}. A configuration in YAML is data, in which tags of Python are not run. "
            "Write plain values, or a Python configuration."
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{name} cannot be read: {' '.join(str(error).split())}. Correct the file.") from None
    except RecursionError:
        raise ConfigError(f"{name} is nested too deep to be a configuration. Correct the file.") from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        what = f"a {type(content).__name__}" if not isinstance(content, dict) else "a mapping of other keys"
        raise ConfigError(f"{name} should hold names with values at its top, but holds {what}. Correct the file.")
    return content


def count_values(content: Any) -> None:
    """Count the values that the aliases of a file stand for, without following each of them.

    Raises:
        ValueError: they are far more than the file holds, or hold themselves.
    """
    counts: dict[int, int] = {}

    def count(value: Any) -> int:
        if not isinstance(value, (dict, list, tuple)):
            return 1
        if id(value) not in counts:
            counts[id(value)] = -1
            items = value.values() if isinstance(value, dict) else value
            counts[id(value)] = 1 + sum(count(item) for item in items)
        if counts[id(value)] < 0:
            raise ValueError("an alias holds itself")
        return counts[id(value)]

    total = count(content)
    if total > MOST + sum(1 + len(value) for value in containers(content)):
        raise ValueError(f"its aliases stand for {total} values")


def containers(content: Any) -> Iterator[Any]:
    """Yield each dict, list and tuple in a value once."""
    waiting, seen = [content], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list, tuple)) and id(value) not in seen:
            seen.add(id(value))
            yield value
            waiting += value.values() if isinstance(value, dict) else value
