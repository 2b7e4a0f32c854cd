"""Walks through folders of images: each real folder once, with a note of everything that is left out.

Images are known by their suffix, in training as in prediction.
"""

# Paths are strings here, not Path objects: there may be millions of them.
# ruff: noqa: PTH112

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

from wsolkit.errors import DataError

__all__ = [
    "IMAGE_SUFFIXES",
    "LINK",
    "SYSTEM",
    "LeftOut",
    "holds_images",
    "images_below",
    "is_image",
    "is_system_folder",
    "walk",
]

# fmt: off
IMAGE_SUFFIXES = (
    ".jpg", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp",
)
# fmt: on
"""What image files in a folder are known by, in training as in prediction; upper or lower case."""

# fmt: off
UNREAD_SUFFIXES = (
    ".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".psd", ".svg", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf",
    ".orf", ".rw2",
)
SYSTEM_FOLDERS = frozenset((
    "@eadir", "@recycle", "#recycle", "@recently-snapshot", "$recycle.bin", "recycler", "system volume information",
    "lost+found", "__macosx", ".ipynb_checkpoints", "__pycache__",
))
# fmt: on
SYSTEM = "a system's folder"
LINK = "links to a folder that is read already"
CONVERT = "convert it to JPEG or PNG, as `magick mogrify -format jpg FILES` of ImageMagick does"
FILE, FOLDER, BROKEN = "file", "folder", "broken"


class LeftOut(NamedTuple):
    """Something that looks like an image, or a folder of them, and is left out.

    Attributes:
        path: where it is.
        why: the reason, in words.
        unread: whether it is a picture of a kind that is not read.
    """

    path: str
    why: str
    unread: bool = False


def is_image(name: str) -> bool:
    """Whether a file's name is that of an image; names that begin with a dot are not.

    >>> is_image("A.JPG"), is_image("._a.jpg"), is_image("notes.md")
    (True, False, False)
    """
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")


def is_system_folder(name: str) -> bool:
    """Whether a folder's name is one that systems and programs give to folders of their own.

    >>> is_system_folder("@eaDir"), is_system_folder("__MACOSX"), is_system_folder("robin")
    (True, True, False)
    """
    return name.lower() in SYSTEM_FOLDERS or name.startswith("__MACOSX")


def walk(
    folder: str,
    hidden: str | None = None,
    seen: set[str] | None = None,
    left_out: list[LeftOut] | None = None,
    broken: bool = False,
) -> Iterator[str]:
    """Yield the images in a folder and its subfolders, sorted by name folder by folder.

    Every real folder is read once: links that lead back, or to a folder that was read, are left out.

    Args:
        folder: where to begin.
        hidden: real path of a folder below whose images do not count.
        seen: real paths of folders that are read elsewhere; those that are read here are added.
        left_out: gets what looks like an image or a folder of them and is none.
        broken: yield links that lead nowhere too, as images that cannot be read.

    Raises:
        DataError: a folder cannot be read.
    """
    seen = set() if seen is None else seen
    notes = [] if left_out is None else left_out
    above = {str(parent) for parent in Path(os.path.realpath(folder)).parents}
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        real = os.path.realpath(current)
        if real == hidden and current != folder:
            continue
        if real in seen or real in above:
            notes.append(LeftOut(current, LINK))
            continue
        seen.add(real)
        try:
            with os.scandir(current) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"Folder {current} cannot be read: {error.strerror or error}. Check its rights.") from error
        folders = []
        for entry in entries:
            kind = kind_of(entry)
            if kind == FOLDER and is_system_folder(entry.name):
                notes.append(LeftOut(entry.path, SYSTEM))
            elif kind == FOLDER and not entry.name.startswith("."):
                folders.append(entry.path)
            elif kind == FILE and is_image(entry.name):
                yield entry.path
            elif kind == FILE and is_unread(entry.name):
                notes.append(LeftOut(entry.path, f"{PurePath(entry.name).suffix.lower()} is not read; {CONVERT}", True))
            elif kind == BROKEN and is_image(entry.name):
                if broken:
                    yield entry.path
                else:
                    notes.append(LeftOut(entry.path, "a link that leads nowhere"))
        waiting += reversed(folders)


def kind_of(entry: os.DirEntry[str]) -> str:
    """Return whether an entry of a folder is a file, a folder or a link that leads to neither."""
    try:
        if entry.is_file():
            return FILE
        if entry.is_dir():
            return FOLDER
    except OSError:  # a link to itself
        return BROKEN
    return BROKEN if entry.is_symlink() else ""


def is_unread(name: str) -> bool:
    """Whether a file's name is that of a picture of a kind that is not read."""
    return name.lower().endswith(UNREAD_SUFFIXES) and not name.startswith(".")


def holds_images(folder: str) -> bool:
    """Whether there is an image in a folder or below it."""
    return any(True for _ in walk(folder))


def images_below(folder: str | Path) -> list[str]:
    """Return the images in a folder and below, as posix paths relative to it, sorted; [] where it is not there.

    Raises:
        DataError: a subfolder cannot be read.
    """
    if not os.path.isdir(folder):
        return []
    return sorted(PurePath(path).relative_to(folder).as_posix() for path in walk(os.fspath(folder)))
