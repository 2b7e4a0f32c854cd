"""What a layout on disk promises: records, class names and masks of a split, without torch."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from wsolkit.datasets.record import Record
from wsolkit.errors import ConfigError, DataError
from wsolkit.names import composed

__all__ = ["Layout", "Metadata", "Understood", "file_in", "image_file"]


@dataclass(frozen=True)
class Metadata:
    """What is said on a command line of the data to read.

    Attributes:
        path: the file or folder that ``--metadata`` names; it exists.
        split: the split, or None where nobody said.
        images: the folder of the images, or None.
        masks: the folder of the masks, or None.
        boxes: a file or folder of boxes for data that hold them apart, or None.
        classes: class names by index, or None for those of the data.
        targets: whether boxes and masks are asked for, or labels and sizes alone.
    """

    path: Path
    split: str | None = None
    images: Path | None = None
    masks: Path | None = None
    boxes: Path | None = None
    classes: Sequence[str] | None = None
    targets: bool = True


@dataclass(frozen=True)
class Understood:
    """How a layout understood the folders of a split, for a person to look over.

    Attributes:
        lines: what was read, in words.
        doubts: places by what is in doubt about them.
    """

    lines: Sequence[str] = ()
    doubts: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Layout(ABC):
    """One split of a data set in some layout on disk.

    Attributes:
        multi_label: whether images have any number of labels; of a table it is known once ``records`` has read it.
        split: name of the split.
        finds_images: whether the paths in the records can be opened.
        image_root: what the paths of images begin with, where image ids are not the names of their files.
    """

    multi_label: bool = False
    split: str = ""
    finds_images: bool = True
    image_root: Path | None = None

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Self | None:
        """Return the split that is named on a command line, or None where it is not in this layout.

        Raises:
            ConfigError: it is in this layout, but there is no such split.
        """
        return None

    @abstractmethod
    def records(self, targets: bool) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names.

        Args:
            targets: read boxes and masks; files that hold nothing else are not opened without.

        Raises:
            DataError: a file is missing or malformed.
            ConfigError: there is no such split or class.
        """

    def understood(self) -> Understood:
        """Return how the folders were understood, once ``records`` has read them; nothing where none are guessed at."""
        return Understood()

    def mask(self, record: Record) -> np.ndarray | None:
        """Return the (H, W) uint8 class mask (0 background, k + 1 class k, 255 ignored), or None without masks."""
        return None


def file_in(folder: str | Path, name: str, what: str) -> Path:
    """Return the path of a file a layout needs.

    Raises:
        DataError: it is not there.
    """
    path = Path(folder) / name
    if not path.exists():
        raise DataError(f"{what} should be at {path}, but there is nothing. Check data_root.")
    return path


def each_once(classes: Sequence[str]) -> list[str]:
    """Return the names of classes that data are looked up by, each of which may be there once.

    Raises:
        ConfigError: one is there twice.

    >>> each_once(["owl", "dog", "owl"])
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: classes names 'owl' twice, and no image can be of both. Name each class once.
    """
    twice = [name for name, count in Counter(composed(str(name)) for name in classes).items() if count > 1]
    if twice:
        raise ConfigError(f"classes names {twice[0]!r} twice, and no image can be of both. Name each class once.")
    return list(classes)


def image_file(folder: str | Path, name: str) -> str:
    """Return the path of an image that a list names.

    A name with accents or backslashes may be written in another form than that of the file; the file decides.
    """
    path = Path(folder) / name
    if (not name.isascii() or "\\" in name) and not path.exists():
        plain = name.replace("\\", "/")
        for form in (plain, unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain)):
            if (Path(folder) / form).exists():
                return str(Path(folder) / form)
    return str(path)
