"""Which image a label file means, whatever the tool that wrote it calls the image.

Tools write names with another folder, with backslashes, as addresses (``%20`` for a blank), with a hash before them
(Label Studio: ``3f2a1b9c-owl_1.jpg``), or with accents in another form. A name that is exactly an image's is taken as
it is; otherwise the file's own name decides, as long as one image alone has it, and the name does not put it into
another folder of images.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from wsolkit.errors import DataError, first_few
from wsolkit.names import Known, composed

__all__ = ["ImageNames", "loose", "without_hash"]

HASH = re.compile("[0-9a-f]{6,}-(?=.)")
"""What Label Studio puts before the names of files that were uploaded."""


class ImageNames:
    r"""Finds images by the names that label files write.

    Args:
        images: the image ids, which are paths below one folder.
        folders: folders that may be left out at the beginning of a name, such as that of the split, ``val/``.

    Attributes:
        guessed: what a file calls an image, by image id, where that is neither its id nor the plain name of its file.

    >>> names = ImageNames(["robin/1.jpg", "robin/my owl.jpg", "wren/1.jpg"])
    >>> names.find("wren/1.jpg"), names.find("D:\\\\all\\\\3f2a1b9c-my_owl.jpg"), names.find("3.jpg")
    ('wren/1.jpg', 'robin/my owl.jpg', None)
    >>> names.find("1.jpg")
    Traceback (most recent call last):
    wsolkit.errors.DataError: '1.jpg' may be any of 'robin/1.jpg', 'wren/1.jpg'. Write it with its folder.
    >>> print(names.find("wren/my owl.jpg"))  # that of the robins is another one
    None
    """

    def __init__(self, images: Iterable[str], folders: Sequence[str] = ()) -> None:
        self._known = Known(images)
        self._folders = [*folders, ""]
        self._by_file: dict[str, list[str]] = defaultdict(list)
        for image in self._known.names:
            self._by_file[loose(image)].append(image)
        self._folder_names = {composed(PurePosixPath(image).parent.name) for image in self._known.names} - {""}
        self.guessed: dict[str, str] = {}

    def find(self, name: str) -> str | None:
        """Return the image that a name means, or None where there is none.

        Raises:
            DataError: it may be any of several, or another name means the same image.
        """
        spelled = spellings(name)
        for spelling in spelled:
            found = self._exact(spelling)
            if found is not None:
                return found
        for spelling in spelled:
            parts = spelling.split("/")
            tails = ["/".join(parts[depth:]) for depth in range(1, len(parts) - 1)]
            found = next(filter(None, map(self._exact, tails)), None) or self._deeper(spelling)
            if found is None and (len(parts) < 2 or composed(parts[-2]) not in self._folder_names):
                file = parts[-1]
                found = self._only(loose(file), name) or self._only(without_hash(file), name)
            if found is not None and found.rpartition("/")[2] != spelling:
                other = self.guessed.setdefault(found, name)
                if other != name:
                    raise DataError(f"{other!r} and {name!r} both seem to be image {found!r}. Write its path.")
            if found is not None:
                return found
        return None

    def _exact(self, name: str) -> str | None:
        return next(filter(None, (self._known.find(folder + name) for folder in self._folders)), None)

    def _deeper(self, name: str) -> str | None:
        """Return the one image that has this name in some folder: ``owls/1.jpg`` for ``photos/owls/1.jpg``."""
        alike = self._by_file.get(loose(name), []) if "/" in name else []
        found = [image for image in alike if composed(image).endswith(f"/{composed(name)}")]
        return found[0] if len(found) == 1 else None

    def _only(self, file: str, name: str) -> str | None:
        found = self._by_file.get(file, [])
        if len(found) > 1:
            raise DataError(f"{name!r} may be any of {first_few(found)}. Write it with its folder.")
        return found[0] if found else None

    def told(self, where: str) -> str:
        """Return a sentence about the images that a file calls otherwise; nothing where there are none."""
        if not self.guessed:
            return ""
        image, name = next(iter(self.guessed.items()))
        return (
            f"{where} calls {len(self.guessed)} images otherwise; they were told by the names of their files, such as "
            f"{name!r} for {image!r}."
        )


def spellings(name: str) -> list[str]:
    """Return a name as it is, with ``/`` between folders, in another encoding, and without what makes it an address.

    >>> spellings("/data/local-files/?d=my%20owls/1.jpg")[-1], spellings("./a.jpg")
    ('my owls/1.jpg', ['./a.jpg', 'a.jpg'])
    """
    plain = name.replace("\\", "/").removeprefix("./")
    found = [name, plain]
    if any("\udc80" <= letter <= "\udcff" for letter in name):  # bytes that are no UTF-8
        found.append(plain.encode("utf-8", "surrogateescape").decode("cp1252", "replace"))
    address = re.sub(r"^.*[?&]d=", "", plain) if "?d=" in plain or "&d=" in plain else plain
    found += [address, unquote(address)]
    return list(dict.fromkeys(found))


def loose(name: str) -> str:
    """Return the name of an image's file as Label Studio writes it: blanks become ``_``."""
    return composed(PurePosixPath(name).name).replace(" ", "_")


def without_hash(name: str) -> str:
    """Return the name of a file as ``loose`` does, without the hash that Label Studio puts before it.

    >>> without_hash("x/3f2a1b9c-my owl.jpg"), without_hash("my-owl.jpg")
    ('my_owl.jpg', 'my-owl.jpg')
    """
    return HASH.sub("", loose(name), count=1)
