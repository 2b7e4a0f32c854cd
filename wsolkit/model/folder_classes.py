"""The class of an image by the name of the folder it lies in."""

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

    The folder's name has to be a class name; case, the form of accents, a leading number and ``_`` for a space do not
    matter as long as only one class fits.

    Args:
        classes: the names of the classes, by index.

    >>> FolderClasses(["001.Laysan_Albatross", "002.Cardinal"]).index("photos/cardinal/7.jpg")
    1
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self._exact = {composed(name): index for index, name in enumerate(classes)}
        alike: dict[str, list[int]] = {}
        for index, name in enumerate(classes):
            alike.setdefault(bare(name), []).append(index)
        self._alike = {name: found[0] for name, found in alike.items() if len(found) == 1}

    def index(self, path: str) -> int:
        """Return the class of the image at ``path``.

        Raises:
            DataError: the folder's name is not a class.
        """
        folder = PurePath(path).parent.name
        found = self._exact.get(composed(folder), self._alike.get(bare(folder)))
        if found is None:
            raise DataError(
                f"The class of an image is to be the name of its folder, but {folder!r} (of {path}) is no class of the "
                f"model. {nearest(folder, self.classes)} Rename the folder, leave it out, or use classes='predicted'."
            )
        return found

    def check(self, paths: Iterable[str]) -> None:
        """Look at every path before any work is done.

        Raises:
            DataError: a folder's name is not a class; the message names the first one.
        """
        seen: set[PurePath] = set()
        for path in paths:
            folder = PurePath(path).parent
            if folder not in seen:
                seen.add(folder)
                self.index(path)
