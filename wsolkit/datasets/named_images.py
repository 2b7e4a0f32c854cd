"""Finds the photographs that a table beside them names: by path, by the file's name, or without its ending."""

# Paths are strings here, not Path objects: there may be millions of them.
# ruff: noqa: PTH100, PTH118

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from wsolkit.errors import DataError, first_few
from wsolkit.formats.image_names import ImageNames

__all__ = ["NamedImages", "without_ending"]


class NamedImages:
    """The photographs that a table may name.

    Args:
        images: the path of each photograph by its id.
        folder: the folder that names in the table are relative to, if to any.

    >>> NamedImages({"cat/1.jpg": "/photos/cat/1.jpg"}, "/lists").find("../photos/cat/1.jpg")
    'cat/1.jpg'
    >>> NamedImages({"cat/1.jpg": "/photos/cat/1.jpg"}, "/lists").find("D:/mine/1")
    'cat/1.jpg'
    """

    def __init__(self, images: Mapping[str, str], folder: str | Path) -> None:
        self._by_path = {os.path.abspath(path): image_id for image_id, path in images.items()}
        self._folder = os.fspath(folder)
        self._names = ImageNames(images)
        self._stems: dict[str, list[str]] = defaultdict(list)
        for image_id in images:
            self._stems[without_ending(image_id)].append(image_id)
        self._plain = ImageNames(self._stems)

    def find(self, name: str) -> str | None:
        """Return the id of the photograph that a name means, or None where there is none.

        Raises:
            DataError: it may be any of several, or another name means the same photograph.
        """
        exact = self._by_path.get(os.path.abspath(os.path.join(self._folder, name.replace("\\", "/"))))
        found = exact or self._names.find(name)
        if found is not None:
            return found
        stem = self._plain.find(name)
        alike = self._stems.get(stem or "", [])
        if len(alike) > 1:
            raise DataError(f"{name!r} may be any of {first_few(alike)}. Write it with its ending.")
        return alike[0] if alike else None

    def told(self, where: str) -> str:
        """Return a sentence about the photographs that a table calls otherwise; nothing where there are none."""
        return self._names.told(where)


def without_ending(name: str) -> str:
    """Return the name of an image without its ending.

    >>> without_ending("cat/1.5.jpg"), without_ending("1")
    ('cat/1.5', '1')
    """
    return PurePosixPath(name).with_suffix("").as_posix() if PurePosixPath(name).name else name
