"""Finds images: files, folders, lists of files and patterns.

Every image to predict has an ``image_id`` that is unique among the images: its path relative to the folder that was
given, with ``/`` between folders. Only names are kept in memory, never pixels.
"""

# Paths are strings here, not Path objects: there may be millions of them.
# ruff: noqa: PTH100, PTH112, PTH113, PTH118, PTH119, PTH120, PTH207, PTH208

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from wsolkit.datasets.image_lists import listed
from wsolkit.datasets.image_walk import IMAGE_SUFFIXES, LeftOut, is_image, walk
from wsolkit.errors import DataError, nearest

__all__ = ["ImageFile", "find_images"]


class ImageFile(NamedTuple):
    """An image to predict: its unique name and the absolute path of its file."""

    image_id: str
    path: str


def find_images(
    sources: Sequence[str | Path], leave_out: str | Path | None = None, left_out: list[LeftOut] | None = None
) -> list[ImageFile]:
    """Return the images that files, folders, lists and patterns stand for, each once, in a fixed order.

    Links that lead nowhere are among them, as images that cannot be read.

    A folder stands for every image in it and in its subfolders, a ``.txt`` file for the paths in its lines (relative to
    the list's folder, or else to the working folder), a name with ``*``, ``?`` or ``[`` for the files that match.
    Lines of a list may be quoted and have a label behind the path; see ``wsolkit.datasets.image_lists``.

    Args:
        sources: what was given.
        leave_out: a folder whose images do not count, such as the one predictions are written to.
        left_out: gets what is left out of folders, and why.

    Raises:
        DataError: something given does not exist or holds no image.
    """
    hidden = None if leave_out is None else os.path.realpath(leave_out)
    notes = [] if left_out is None else left_out
    found: dict[str, str] = {}  # path to id
    folders: dict[str, str] = {}  # path to real path
    seen: set[str] = set()
    for source in sources:
        for image_id, path in images_of(os.fspath(source), hidden, notes):
            whole = os.path.abspath(path)
            folder, name = os.path.split(whole)
            real = os.path.join(folders.setdefault(folder, os.path.realpath(folder)), name)
            if real not in seen:  # a folder may be given twice, once by a link
                seen.add(real)
                found[whole] = image_id
    if not found:
        raise DataError("No images were given. Name files, a folder, a .txt list or a pattern such as 'photos/*.jpg'.")
    if len(set(found.values())) == len(found):
        return [ImageFile(image_id, path) for path, image_id in found.items()]
    common = os.path.commonpath(found)  # two folders hold images of the same name: tell them apart by their folders
    return [ImageFile(PurePath(os.path.relpath(path, common)).as_posix(), path) for path in found]


def images_of(source: str, hidden: str | None, left_out: list[LeftOut]) -> Iterable[tuple[str, str]]:
    """Return the (image_id, path) pairs of one source; see ``find_images``."""
    if os.path.isdir(source):
        pairs = [
            (PurePath(path).relative_to(source).as_posix(), path) for path in walk(source, hidden, None, left_out, True)
        ]
        if not pairs:
            unread = [each for each in left_out if each.unread and each.path.startswith(source)]
            there = (
                f" It has {len(unread)} pictures of other kinds, such as {unread[0].path}: {unread[0].why}."
                if unread
                else ""
            )
            raise DataError(
                f"Folder {source} holds no image. Looked for {', '.join(IMAGE_SUFFIXES)} in it and its subfolders. "
                f"Check the path.{there}"
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
