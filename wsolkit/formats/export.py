"""Folders that a detector is trained from: the images beside their labels, and which of them are held out."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wsolkit.errors import ConfigError, DataError

__all__ = ["PLAIN", "Export", "Split", "put_image", "split_names"]


@dataclass(frozen=True)
class Export:
    """How YOLO's and VOC's folders are written.

    Attributes:
        val_share: share of the images that is held out for validation, in [0, 1); 0 validates on the training images.
        copy_images: copy the images, instead of linking them.

    Raises:
        ConfigError: the share is none.
    """

    val_share: float = 0.1
    copy_images: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.val_share < 1:
            raise ConfigError(
                f"The share of images to hold out for validation should be in [0, 1), but got {self.val_share}."
            )


PLAIN = Export()
"""What is done where nobody asks for something else."""


class Split(NamedTuple):
    """Names of images to train and to validate on, in their order, and how they were divided, in words."""

    train: list[str]
    val: list[str]
    words: str


def split_names(names: Sequence[str], share: float) -> Split:
    """Divide images into those to train and those to validate on.

    Where an image goes depends on its name alone, so that it stays there when others are added. Where any are held
    out at all, there is at least one in each part.

    >>> found = split_names([f"owls/{number}" for number in range(1000)], 0.1)
    >>> len(found.train), len(found.val), found.words
    (887, 113, '113 of 1000 images, chosen by their names, are held out as val')
    >>> split_names(["a"], 0.1).val
    ['a']
    """
    if not share or len(names) < 2:
        return Split(list(names), list(names), "val lists the training images: none are held out")
    drawn = {name: place_of(name) for name in names}
    held = {name for name in names if drawn[name] < share} or {min(names, key=place_of)}
    held -= {max(names, key=place_of)}
    val = [name for name in names if name in held]
    words = f"{len(val)} of {len(names)} images, chosen by their names, are held out as val"
    return Split([name for name in names if name not in held], val, words)


def place_of(name: str) -> float:
    """Return a number in [0, 1) that depends on a name alone."""
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:6]) / 2**48


def put_image(source: str | Path, target: Path, copy: bool = False) -> None:
    """Put an image beside its labels: as a link, relative so that both may be moved together, or as a copy.

    On a file system without links nothing is written: the user puts the images there.

    Raises:
        DataError: the image to copy is gone.
        OSError: there is no room for a copy.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy:
        if not Path(source).is_file():
            raise DataError(f"Image {source} is gone, so it cannot be copied. Put it back, or link the images.")
        shutil.copyfile(source, target)
        return
    try:
        target.symlink_to(link_text(Path(source), target.parent))
    except OSError:
        return


def link_text(source: Path, folder: Path) -> str:
    """Return what a link in a folder says to lead to a file: a relative path, but across the drives of Windows."""
    try:
        return os.path.relpath(source.absolute(), folder.resolve())
    except ValueError:
        return str(source.absolute())
