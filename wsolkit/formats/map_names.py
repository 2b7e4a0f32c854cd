"""Which of the names in map files is that of an image.

A name is the image id, with its ending or without, or, where there is no such name, the image's file name (COCO's ids
are numbers). Folders that all names share may go before it. Accents may be composed or decomposed (Unicode NFC, NFD).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, takewhile
from pathlib import PurePosixPath

from wsolkit.errors import DataError, printable
from wsolkit.names import Known, composed

__all__ = ["MapNames", "folder_of_images", "forms"]


class MapNames:
    """The names that maps have, by image.

    Args:
        names: names of maps, each once.
        file_names: further names of images by image id.

    >>> names = MapNames(["maps/cat.jpg", "maps/dog"], {"7": "dog.jpg"})
    >>> names.of("cat.jpg"), names.of("7"), names.of("owl.jpg")
    ('maps/cat.jpg', 'maps/dog', None)
    """

    def __init__(self, names: Iterable[str], file_names: Mapping[str, str] | None = None) -> None:
        self.names = dict.fromkeys(names)
        self.file_names = dict(file_names or {})
        self._known = Known(self.names)
        parents = [PurePosixPath(name).parent.parts for name in self.names]
        shared = [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*parents, strict=False))]
        self._folders = ["/".join(shared[:depth]) for depth in range(len(shared), 0, -1)]  # the innermost first

    def of(self, image_id: str) -> str | None:
        """Return the name of the map of an image, or None where there is none."""
        name = self._find(image_id)
        return self._find(self.file_names[image_id]) if name is None and image_id in self.file_names else name

    def only_of(self, image_id: str) -> str | None:
        """Return the name as ``of`` does, but refuse an image that has two.

        Raises:
            DataError: one map is named after its id and another one after its file.
        """
        name = self.of(image_id)
        other = self._find(self.file_names[image_id]) if image_id in self.file_names else None
        if other is not None and other != name:
            raise DataError(
                f"Image {image_id!r} in file {self.file_names[image_id]!r} may have the map {name!r} or {other!r}. "
                "Name all maps after the image ids, or all after the files, with their ending."
            )
        return name

    def _find(self, image: str) -> str | None:
        plain = forms(image)
        for candidate in chain(plain, (f"{folder}/{name}" for name in plain for folder in self._folders)):
            name = self._known.find(candidate)
            if name is not None:
                return name
        return None


def forms(image: str) -> tuple[str, str, str]:
    """Return the names that the map of an image may have: its own, as it is printed, and without the ending.

    >>> forms("a/b.jpg")
    ('a/b.jpg', 'a/b.jpg', 'a/b')
    """
    return image, printable(image), PurePosixPath(image).with_suffix("").as_posix()


def folder_of_images(names: Sequence[str], images: Collection[str]) -> tuple[str, str] | None:
    """Return the folder below which most names end in names of images, and such a name.

    Args:
        names: names of maps.
        images: names of images.

    Returns:
        None where half of the images or more are found below no folder.

    >>> folder_of_images(["test/a.jpg", "test/b", "val/c.jpg"], ["a.jpg", "b.jpg"])
    ('test', 'test/a.jpg')
    """
    known = {composed(form) for image in images for form in forms(image)}
    count: Counter[str] = Counter()
    example: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        for depth in range(1, len(parts)):
            if composed("/".join(parts[depth:])) in known:
                folder = "/".join(parts[:depth])
                count[folder] += 1
                example.setdefault(folder, name)
    best = count.most_common(1)
    return (best[0][0], example[best[0][0]]) if best and 2 * best[0][1] >= len(images) else None
