"""Lists of images that people and programs write: a path in each line, perhaps quoted, with a label, or a comment."""

# Paths are strings here, not Path objects: there may be millions of them.
# ruff: noqa: PTH100, PTH110, PTH117, PTH118, PTH120

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePath

from wsolkit.errors import DataError
from wsolkit.text_files import lines_of, read_text

__all__ = ["listed"]


def listed(source: str) -> list[tuple[str, str]]:
    """Return the (image_id, path) pairs of a list of paths: one in each line, or with zero bytes between them.

    A path is relative to the list's folder, or else to the working folder. Where no file has the name of a whole line,
    quotes, backslashes and what stands behind the path (``a.jpg 3``, ``a.jpg,owl``) are left out; a line that begins
    with ``#`` is a comment then.

    Raises:
        DataError: the list cannot be read, or names no image.
    """
    text = read_text(source, "List", "Write one path in each line.", keep=True)
    folder = os.path.dirname(source)
    inside = os.path.abspath(folder)
    pairs = []
    for line in filter(None, map(str.strip, text.split("\0") if "\0" in text else lines_of(text))):
        there = next(((form, path) for form in forms(line) if (path := existing(form, folder))), None)
        if there is None and line.startswith("#"):
            continue
        name, path = there or (line, os.path.join(folder, line))
        pairs.append((name_of(name, inside), path))
    if not pairs:
        raise DataError(f"List {source} is empty. Write the path of an image in each line.")
    return pairs


def existing(name: str, folder: str) -> str | None:
    """Return the path of a listed file, beside the list or in the working folder, or None where there is none."""
    return next((path for path in (os.path.join(folder, name), name) if os.path.exists(path)), None)


def forms(line: str) -> Iterator[str]:
    """Yield what the path in a line may be, the whole line first.

    >>> list(forms("'my owl.jpg',3"))
    ["'my owl.jpg',3", "'my owl.jpg'", 'my owl.jpg', "'my"]
    """
    ends = [line, re.sub(r"[\s,;]+[^\s,;]+$", "", line), re.split(r"[,;\t]", line)[0].strip(), line.split()[0]]
    plain = [end[1:-1] if len(end) > 2 and end[0] == end[-1] and end[0] in "\"'" else end for end in ends]
    both = [form for pair in zip(ends, plain, strict=True) for form in pair]
    yield from dict.fromkeys([*both, *(form.replace("\\", "/") for form in both)])


def name_of(path: str, folder: str) -> str:
    """Return the name of a listed image: its path inside ``folder``, or without what leads out of it.

    >>> name_of("/photos/cats/1.jpg", "/photos"), name_of("../dogs/2.jpg", "/photos"), name_of("./3.jpg", "/photos")
    ('cats/1.jpg', 'dogs/2.jpg', '3.jpg')
    """
    inside = os.path.relpath(path, folder) if os.path.isabs(path) else os.path.normpath(path)
    if os.path.isabs(path) and inside.startswith(os.pardir):
        inside = os.path.normpath(path)
    parts = [part for part in PurePath(inside).parts if part not in (os.pardir, PurePath(inside).anchor)]
    return "/".join(parts)
