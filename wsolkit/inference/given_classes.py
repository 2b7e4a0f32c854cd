"""The classes of image files that are known before the model looks: from the names of folders, or from a table."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from wsolkit.datasets.label_tables import TABLE_SUFFIXES, read_label_table
from wsolkit.datasets.named_images import without_ending
from wsolkit.errors import DataError, first_few, nearest, noting
from wsolkit.formats.image_names import ImageNames
from wsolkit.formats.text_lists import set_once
from wsolkit.model.folder_classes import FolderClasses
from wsolkit.names import Known

__all__ = ["FOLDER", "GIVEN", "PREDICTED", "Classes", "GivenClasses", "given_by", "is_table", "told_classes"]

PREDICTED = "predicted"
FOLDER = "folder"
GIVEN = "given"
"""What a run is said to ask for where the caller knows the labels of every image."""

Classes = str | Mapping[str, Sequence[int]] | None
"""Where the classes of images come from: ``predicted``, ``folder``, a table, or given for each image by its name."""


class GivenClasses(ABC):
    """Tells the classes of image files by their names."""

    @abstractmethod
    def of(self, path: str, image_id: str = "") -> list[int]:
        """Return the classes of an image, by index.

        Args:
            path: its file.
            image_id: its name: the path below what was given.

        Raises:
            DataError: nothing says its class, or it is no class of the model.
        """

    @abstractmethod
    def check(self, images: Iterable[tuple[str, str]]) -> None:
        """Look at every image, given as (name, path), before any work is done.

        Raises:
            DataError: the class of one is unknown.
        """


class ByFolder(GivenClasses):
    """The class that an image's folder is named after.

    Args:
        classes: the names of the model's classes, by index.
        background: the names of folders whose images show none of them.
    """

    def __init__(self, classes: Sequence[str], background: Sequence[str] = ()) -> None:
        self._folders = FolderClasses(classes, background)

    def of(self, path: str, image_id: str = "") -> list[int]:
        """Return the class of an image; none for background."""
        return self._folders.indices(path, image_id)

    def check(self, images: Iterable[tuple[str, str]]) -> None:
        """Look at the folder of every image."""
        self._folders.check(images)


class ByTable(GivenClasses):
    """The classes that a table of labels tells; see ``wsolkit.datasets.label_tables``.

    Args:
        path: the table.
        classes: the names of the model's classes, by index.
        background: the names of labels of images that show none of them.

    Raises:
        DataError: the table is no table of labels, has a class that the model does not know, or has other labels for
            an image in another line.
    """

    def __init__(self, path: str | Path, classes: Sequence[str], background: Sequence[str] = ()) -> None:
        names = [*classes, *background]
        table = read_label_table(path, names)
        known, index = Known(names), {name: number for number, name in enumerate(names)}
        self._path = path
        self._labels: dict[str, list[int]] = {}
        said: dict[str, tuple[str, ...]] = {}
        for row in table.rows:
            name = row.name.replace("\\", "/")
            set_once(said, name, row.labels, f"{path}, line {row.line}")
            found = [known.find(label) for label in row.labels]
            strange = [label for label, own in zip(row.labels, found, strict=True) if own is None]
            if strange:
                raise DataError(
                    f"{path}, line {row.line}: {strange[0]!r} is no class of the model. {nearest(strange[0], classes)}"
                )
            places = [index[own] for own in found if own is not None]
            self._labels[name] = [place for place in places if place < len(classes)]
        self._names = ImageNames(self._labels)
        self._plain = {without_ending(name): name for name in self._labels}
        self._stems = ImageNames(self._plain)

    def of(self, path: str, image_id: str = "") -> list[int]:
        """Return the classes of an image."""
        found = self._find(path)
        if found is None:
            raise DataError(f"{self._path} does not name the image {image_id or path!r}. Add a line, or leave it out.")
        return self._labels[found]

    def check(self, images: Iterable[tuple[str, str]]) -> None:
        """Look for every image in the table."""
        missing = [image_id for image_id, path in images if self._find(path) is None]
        if missing:
            raise DataError(
                f"{self._path} does not name {len(missing)} of the images: {first_few(missing)}. Add lines for them, "
                "or leave them out."
            )

    def _find(self, path: str) -> str | None:
        """Return the name that the table has for an image file, or None."""
        with noting(f"in {self._path}", str(self._path)):
            found = self._names.find(Path(path).absolute().as_posix())
            return found or self._plain.get(self._stems.find(without_ending(Path(path).absolute().as_posix())) or "")


class ByName(GivenClasses):
    """The classes that somebody has given for each image by its name.

    >>> ByName({"a.jpg": [1, 2]}).of("photos/a.jpg", "a.jpg")
    [1, 2]
    """

    def __init__(self, labels: Mapping[str, Sequence[int]]) -> None:
        self._labels = labels

    def of(self, path: str, image_id: str = "") -> list[int]:
        """Return the classes of an image."""
        if image_id not in self._labels:
            raise DataError(f"No class is given for the image {image_id or path!r}. Give one for each image.")
        return list(self._labels[image_id])

    def check(self, images: Iterable[tuple[str, str]]) -> None:
        """Look for the classes of every image."""
        for image_id, path in images:
            self.of(path, image_id)


def is_table(classes: Classes) -> bool:
    """Whether classes are to be read from a table: its file is named.

    >>> is_table("labels.csv"), is_table("folder")
    (True, False)
    """
    return isinstance(classes, str) and classes.lower().endswith(TABLE_SUFFIXES)


def given_by(classes: Classes, known: Sequence[str], background: Sequence[str] = ()) -> GivenClasses | None:
    """Return what tells the classes of image files: ``folder``, a table by its path, or each; None for anything else.

    Args:
        classes: what was asked for.
        known: the names of the model's classes, by index.
        background: those of images that show none of them.

    Raises:
        DataError: there is no such table, or it has a class that the model does not know.
    """
    if classes == FOLDER:
        return ByFolder(known, background)
    if isinstance(classes, Mapping):
        return ByName(classes)
    return ByTable(classes, known, background) if classes is not None and is_table(classes) else None


def told_classes(classes: str) -> str:
    """Return what decides the classes of images, for the record of a run: a table with a digest of what it holds."""
    if not is_table(classes):
        return classes
    path = Path(classes).absolute()
    return f"{path} ({hashlib.sha256(path.read_bytes()).hexdigest()[:16]})"
