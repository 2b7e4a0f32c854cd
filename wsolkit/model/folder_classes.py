"""The class of an image by the name of the folder it lies in.

The rule is that of training on class folders: an image belongs to the outermost folder, below what was given, that is
named like a class, however deep it lies in there. Where none is, as for a file or a class folder that is given by
itself, the folder it lies in counts, or the one that was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from wsolkit.errors import DataError, nearest
from wsolkit.names import composed

__all__ = ["FolderClasses"]


def bare(name: str) -> str:
    """Return a class name without a leading number, in lower case, its words joined by spaces.

    >>> bare("017.Northern_Cardinal") == bare("northern-cardinal")
    True
    """
    return re.sub(r"[\s_.-]+", " ", re.sub(r"^\d+[\s_.-]+", "", composed(name))).strip().lower()


class FolderClasses:
    """Finds the class of an image by the name of the folder it lies in.

    A folder's name has to be a class name; case, the form of accents, a leading number and ``_`` for a space do not
    matter as long as only one class fits.

    Args:
        classes: the names of the classes, by index.
        background: names of folders whose images show none of the classes.

    >>> FolderClasses(["001.Laysan_Albatross", "002.Cardinal"]).index("photos/cardinal/7.jpg")
    1
    """

    def __init__(self, classes: Sequence[str], background: Sequence[str] = ()) -> None:
        self.classes = [*classes, *background]
        self.count = len(classes)
        self._exact = {composed(name): index for index, name in enumerate(self.classes)}
        alike: dict[str, list[int]] = {}
        for index, name in enumerate(self.classes):
            alike.setdefault(bare(name), []).append(index)
        self._alike = {name: found[0] for name, found in alike.items() if len(found) == 1}

    def index(self, path: str, image_id: str = "") -> int:
        """Return the class of an image; a number beyond those of the classes for background.

        Args:
            path: its file.
            image_id: its name: the path below what was given.

        Raises:
            DataError: no folder's name is a class.

        >>> FolderClasses(["robin", "wren"]).index("/photos/robin/wren/day/7.jpg", "robin/wren/day/7.jpg")
        0
        """
        whole = PurePath(path).parts[:-1]
        below = PurePath(image_id).parts[:-1]
        inside = below if len(below) < len(whole) - 1 and whole[len(whole) - len(below) :] == below else ()
        given = whole[len(whole) - len(inside) - 1 :][:1]  # what the image's name is relative to
        for folder in (*inside, *given):
            found = self._exact.get(composed(folder), self._alike.get(bare(folder)))
            if found is not None:
                return found
        last = PurePath(path).parent.name
        raise DataError(
            f"The class of an image is to be the name of its folder, but {last!r} (of {path}) is no class of the "
            f"model, nor is a folder around it. {nearest(last, self.classes)} Rename the folder, leave it out, "
            "or say the classes in a table (--classes labels.csv, classes=labels.csv in Python). Where they do not "
            'matter: --classes predicted; a model that does not classify calls every box "object" then.'
        )

    def indices(self, path: str, image_id: str = "") -> list[int]:
        """Return the class of an image, or none where it is background; see ``index``.

        >>> FolderClasses(["crack", "hole"], background=["free"]).indices("/tiles/free/7.jpg")
        []
        """
        found = self.index(path, image_id)
        return [found] if found < self.count else []

    def check(self, images: Iterable[tuple[str, str]]) -> None:
        """Look at the folder of every image, given as (name, path), before any work is done.

        Raises:
            DataError: a folder's name is not a class; the message names the first one.
        """
        seen: set[tuple[PurePath, PurePath]] = set()
        for image_id, path in images:
            folders = (PurePath(path).parent, PurePath(image_id).parent)
            if folders not in seen:
                seen.add(folders)
                self.index(path, image_id)
