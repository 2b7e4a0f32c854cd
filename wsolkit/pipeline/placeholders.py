"""``{name}`` in the arguments of a stage: the folder of an earlier stage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["NAME", "files_of", "fill", "has_placeholder", "placeholders"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
PLACEHOLDER = re.compile(rf"\{{\{{({NAME.pattern})\}}\}}|\{{({NAME.pattern})\}}")
"""``{name}``, or ``{{name}}`` for a text that really has braces in it."""


def placeholders(value: Any) -> list[str]:
    """Return the names that the texts of a value refer to, each once, also those nested in lists and dicts.

    >>> placeholders({"a": ["{maps}/x", "{{no}}"], "b": "{maps}{boxes}"})
    ['maps', 'boxes']
    """
    return list(dict.fromkeys(found(value)))


def files_of(value: Any) -> list[tuple[str, str]]:
    """Return the files that the texts of a value name in the folders of earlier stages, each once.

    >>> files_of(["{train}/best.pth", {"maps": "{maps}"}, "{maps}/*.npz", "{train}/best.pth"])
    [('train', 'best.pth')]
    """
    matches = [(text, PLACEHOLDER.match(text)) for text in texts_of(value)]
    files = [(match[2], text[match.end() + 1 :]) for text, match in matches if match is not None and match[2]]
    return [each for each in dict.fromkeys(files) if each[1] and not set("*?[{") & set(each[1])]


def has_placeholder(value: Any) -> bool:
    """Whether a value names the folder of an earlier stage.

    >>> has_placeholder("{maps}/config.py"), has_placeholder("cam_synthetic")
    (True, False)
    """
    return any(True for _ in found(value))


def found(value: Any) -> Iterator[str]:
    """Yield every name that the texts of a value refer to."""
    for text in texts_of(value):
        for match in PLACEHOLDER.finditer(text):
            if match[2]:
                yield match[2]


def texts_of(value: Any) -> Iterator[str]:
    """Yield the texts of a value, also those nested in lists and dicts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_of(item)


def fill(value: Any, folders: Mapping[str, Path]) -> Any:
    """Return a value with the folders where its texts name them.

    >>> fill(["{maps}/last.pth", "{{x}}", 3], {"maps": Path("work/maps")})
    ['work/maps/last.pth', '{x}', 3]
    """
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: f"{{{match[1]}}}" if match[1] else str(folders[match[2]]), value)
    if isinstance(value, Mapping):
        return {key: fill(item, folders) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(fill(item, folders) for item in value)
    return value
