"""What a writer of results promises: files that are whole or not there, one image in memory at a time.

Coordinates are pixels of the upright image (EXIF orientation applied). Images are numbered from 1 in the order they
were given; unreadable ones keep their number.
"""

from __future__ import annotations

import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

from wsolkit.files import path_below
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.found_boxes import Failure, ImageResult

__all__ = ["LabelNames", "Writer", "remove"]


class Writer(ABC):
    """Writes results in one format, into hidden files of ``folder`` that take their names when everything is written.

    Args:
        folder: where to write.
        classes: names of the classes, by index.
        about: what the results were made with, for formats that can say so.
        export: how folders for a detector are written.
    """

    outputs: tuple[str, ...] = ()
    """Names of the files or folders it writes."""

    needs_masks: bool = False
    """Whether what it writes says little without masks, so that whoever asks for it asks for them."""

    to_correct: bool = False
    """Whether boxes are drawn in what it writes: images whose boxes were rejected are in it, without boxes."""

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any], export: Export = PLAIN) -> None:
        self.folder = folder
        self.export = export
        self.classes = list(classes)
        self.about = dict(about)
        for name in self.outputs:
            remove(self.draft(name))

    @abstractmethod
    def add(self, result: ImageResult | Failure) -> None:
        """Take the result of the next image."""

    @abstractmethod
    def close(self) -> None:
        """Complete the drafts."""

    def draft(self, name: str) -> Path:
        """Return where an output is written before it is complete."""
        return self.folder / f".{name}.draft"

    def publish(self) -> list[Path]:
        """Give the complete drafts their names and return them."""
        paths = [self.folder / name for name in self.outputs]
        for path in paths:
            if path.is_dir():  # a folder cannot be replaced in one step
                remove(path)
            self.draft(path.name).replace(path)
        return paths

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for name in self.outputs:
            remove(self.draft(name))


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


LINE_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
"""What would make two lines of a name in a list."""


class LabelNames:
    """Names of label files: the image's without its ending, or with it where another image has taken that name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, image_id: str) -> str:
        """Return the name of an image's label file, without an ending.

        Raises:
            DataError: the image's name leads out of a folder.
        """
        path_below("", image_id)
        image_id = LINE_BREAKS.sub("_", image_id)
        name = PurePosixPath(image_id).with_suffix("").as_posix()
        if name.lower() in self._taken:
            name = image_id.replace(".", "_")
        while name.lower() in self._taken:
            name += "_"
        self._taken.add(name.lower())
        return name
