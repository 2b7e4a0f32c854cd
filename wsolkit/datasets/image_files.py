"""Finds images: files, folders, lists of files and patterns.

Every image to predict has an ``image_id`` that is unique among the images: its path relative to the folder that was
given, with ``/`` between folders. Only names are kept in memory, never pixels.
"""

# Paths are strings here, not Path objects: there may be millions of them.
# ruff: noqa: PTH100, PTH112, PTH113, PTH119, PTH120, PTH207, PTH208

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from wsolkit.datasets.image_lists import listed
from wsolkit.errors import DataError, nearest

__all__ = ["IMAGE_SUFFIXES", "ImageFile", "find_images", "images_below", "is_image"]

# fmt: off
IMAGE_SUFFIXES = (
    ".jpg", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp",
)
# fmt: on
"""What image files in a folder are known by, in training as in prediction; upper or lower case."""


class ImageFile(NamedTuple):
    """An image to predict: its unique name and the absolute path of its file."""

    image_id: str
    path: str


def find_images(sources: Sequence[str | Path], leave_out: str | Path | None = None) -> list[ImageFile]:
    """Return the images that files, folders, lists and patterns stand for, each once, in a fixed order.

    A folder stands for every image in it and in its subfolders, a ``.txt`` file for the paths in its lines (relative to
    the list's folder, or else to the working folder), a name with ``*``, ``?`` or ``[`` for the files that match.

    Args:
        sources: what was given.
        leave_out: a folder whose images do not count, such as the one predictions are written to.

    Raises:
        DataError: something given does not exist or holds no image.
    """
    hidden = None if leave_out is None else os.path.realpath(leave_out)
    found: dict[str, str] = {}  # path to id
    for source in sources:
        for image_id, path in images_of(os.fspath(source), hidden):
            found.setdefault(os.path.abspath(path), image_id)
    if not found:
        raise DataError("No images were given. Name files, a folder, a .txt list or a pattern such as 'photos/*.jpg'.")
    if len(set(found.values())) == len(found):
        return [ImageFile(image_id, path) for path, image_id in found.items()]
    common = os.path.commonpath(found)  # two folders hold images of the same name: tell them apart by their folders
    return [ImageFile(PurePath(os.path.relpath(path, common)).as_posix(), path) for path in found]


def images_of(source: str, hidden: str | None = None) -> Iterable[tuple[str, str]]:
    """Return the (image_id, path) pairs of one source; see ``find_images``."""
    if os.path.isdir(source):
        pairs = [(PurePath(path).relative_to(source).as_posix(), path) for path in walk(source, hidden)]
        if not pairs:
            raise DataError(
                f"Folder {source} holds no image. Looked for {', '.join(IMAGE_SUFFIXES)} in it and its subfolders. "
                "Check the path."
            )
        return pairs
    if os.path.isfile(source):
        if source.lower().endswith(".txt"):
            return listed(source)
        return [(os.path.basename(source), source)]
    if any(mark in source for mark in "*?["):
        return matching(source, hidden)
    folder = os.path.dirname(source) or "."
    if not os.path.isdir(folder):
        raise DataError(f"There is no file or folder {source}, nor a folder {folder}. Check the path.")
    raise DataError(f"There is no file or folder {source}. {nearest(os.path.basename(source), os.listdir(folder))}")


def is_image(name: str) -> bool:
    """Whether a file's name is that of an image; names that begin with a dot are not.

    >>> is_image("A.JPG"), is_image("._a.jpg"), is_image("notes.md")
    (True, False, False)
    """
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")


def walk(folder: str, hidden: str | None = None) -> Iterator[str]:
    """Yield the images in a folder and its subfolders, sorted by name folder by folder; links are followed once."""
    seen: set[str] = set()
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        real = os.path.realpath(current)
        if real in seen or (real == hidden and current != folder):
            continue
        seen.add(real)
        try:
            with os.scandir(current) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"Folder {current} cannot be read: {error.strerror or error}. Check its rights.") from error
        yield from (entry.path for entry in entries if is_image(entry.name) and entry.is_file())
        waiting += [entry.path for entry in reversed(entries) if entry.is_dir() and not entry.name.startswith(".")]


def images_below(folder: str | Path) -> list[str]:
    """Return the images in a folder and below, as posix paths relative to it, sorted; [] where it is not there.

    Raises:
        DataError: a subfolder cannot be read.
    """
    if not os.path.isdir(folder):
        return []
    return sorted(PurePath(path).relative_to(folder).as_posix() for path in walk(os.fspath(folder)))


def matching(pattern: str, hidden: str | None = None) -> list[tuple[str, str]]:
    """Return the (image_id, path) pairs of the images that match a pattern."""
    root = pattern
    while any(mark in root for mark in "*?["):
        root = os.path.dirname(root)
    found = sorted(path for path in glob.glob(pattern, recursive=True) if is_image(os.path.basename(path)))
    if hidden is not None:
        found = [path for path in found if not os.path.realpath(path).startswith(hidden + os.sep)]
    if not found:
        raise DataError(f"No image matches {pattern!r}. Looked for {', '.join(IMAGE_SUFFIXES)}. Check the pattern.")
    return [(PurePath(os.path.relpath(path, root or ".")).as_posix(), path) for path in found]
