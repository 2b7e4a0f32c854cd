"""Which arrays in files hold the score maps of which image; ``wsolkit.formats.score_maps`` says how they are named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsolkit.errors import DataError, MapError, nearest
from wsolkit.formats.arrays import Arrays
from wsolkit.formats.checked_boxes import MOST_CLASSES, MOST_PIXELS
from wsolkit.formats.map_names import MapNames, folder_of_images

__all__ = ["CLASS_AGNOSTIC", "SIZE", "MapIndex", "Match", "Stored", "single"]

CLASS_AGNOSTIC = -1
"""The class of a map that belongs to none and answers for each."""

SIZE = "width,height"
CLASS = re.compile("-1|[0-9]{1,6}")
"""What a class index is called; a longer number is the name of an image."""
CLASSES = ".classes"


@dataclass
class Match:
    """Which images of a data set have a map.

    Attributes:
        missing: images without one, in the order of the data.
        unknown: names of maps that belong to no image.
    """

    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


class Stored(NamedTuple):
    """The maps of an image as files hold them.

    Attributes:
        maps: reads the map of a class, by class; ``CLASS_AGNOSTIC`` for one map without a class.
        files: the file of each.
        named: whether files say which classes they are of.
    """

    maps: Mapping[int, Callable[[], np.ndarray]]
    files: dict[int, Path]
    named: bool


class MapIndex:
    """The images that have maps in a file or folder, and where these are.

    Args:
        arrays: the arrays there are.
        num_classes: number of classes, where it is known: a (K, H, W) array has to have as many maps.
        file_names: further names of images by image id, tried after the ids: COCO's ``file_name``.
    """

    def __init__(
        self, arrays: Arrays, num_classes: int | None = None, file_names: Mapping[str, str] | None = None
    ) -> None:
        self.arrays = arrays
        self.num_classes = num_classes
        self._file_names = dict(file_names or {})
        self._whole: dict[str, str] = {}  # arrays that are the map or maps of an image, by the image's name
        self._classes: dict[str, str] = {}  # arrays that say which classes those are of
        self._sizes: dict[str, str] = {}
        self._by_class: dict[str, dict[int, str]] = {}
        for name, place in arrays.places.items():
            image, _, last = name.rpartition("/")
            if place.name is None:
                of = name.removesuffix(CLASSES)
                told = of != name and of in arrays.places
                (self._classes if told else self._whole)[of if told else name] = name
            elif place.name != name:  # a file of one image
                kinds = {"maps": self._whole, "classes": self._classes, "size": self._sizes}
                kinds.get(last, {})[image] = name
            elif last == SIZE:
                self._sizes[image] = name
            else:
                self._whole[name] = name
                if image and CLASS.fullmatch(last):
                    self._by_class.setdefault(image, {})[int(last)] = name

    @property
    def path(self) -> Path:
        """The file or folder."""
        return self.arrays.path

    def names(self) -> list[str]:
        """Return the names of the images that have maps, each once, as the files write them."""
        return list(dict.fromkeys(chain(map(self._image_of, self._whole), self._sizes)))

    def classes(self) -> list[int]:
        """Return the class indices that files name, rising; none where they name no class."""
        named = {index for found in self._by_class.values() for index in found}
        return sorted(named.union(*map(self._named_classes, self._classes)) - {CLASS_AGNOSTIC})

    def largest_stack(self) -> int:
        """Return the largest K of the arrays (K, H, W), by their headers; 0 where there is none that can be read.

        Raises:
            MapError: it is no number of classes.
        """
        by_class = {key for found in self._by_class.values() for key in found.values()}
        stacks = [key for key in self._whole.values() if key not in by_class]
        largest = max((shape[0] for shape in self.arrays.shapes(stacks) if len(shape) == 3), default=0)
        if largest > MOST_CLASSES:
            raise MapError(f"{self.path} holds an array of {largest} maps. Save one map for each class, as (K, H, W).")
        return largest

    def match(self, image_ids: Iterable[str]) -> Match:
        """Compare the maps with the images of a data set.

        Raises:
            DataError: two images would share a map, because they differ in their ending alone; an image has one map
                by its id and another by its file's name; or maps are named after images below a folder that not
                all share.
        """
        found = Match()
        image_ids = list(image_ids)
        owner: dict[str, str] = {}
        used: set[str] = set()
        for image_id in image_ids:
            name = self._names.only_of(image_id)
            if name is None:
                found.missing.append(image_id)
                continue
            if name in owner:
                raise DataError(
                    f"Images {owner[name]!r} and {image_id!r} share the map {name!r} of {self.path}. Name each map "
                    "after its image with the ending."
                )
            owner[name] = image_id
            used |= {name} if self._in_one(name) else set(self._by_class.get(name, {}).values())
        named = [self._image_of(key) for key in self._whole if key not in used]
        found.unknown = list(dict.fromkeys(chain(named, (name for name in self._sizes if name not in owner))))
        if image_ids and len(found.missing) == len(image_ids):
            self._check_folder(image_ids)
        return found

    def has(self, image_id: str) -> bool:
        """Whether there is a map of an image."""
        return self._names.of(image_id) is not None

    def lacking(self, image_id: str, present: Sequence[int]) -> list[int]:
        """Return the classes of an image for which names say that there is no map, without reading one.

        Raises:
            DataError: the classes of its maps cannot be read.
            MapError: they are no classes.
        """
        name = self._names.of(image_id)
        if name is None:
            return list(present)
        if name in self._classes:
            there = self._named_classes(name)
        elif self._in_one(name):
            return []
        else:
            there = list(self._by_class.get(name, {}))
        return [] if CLASS_AGNOSTIC in there else [k for k in present if k not in there]

    def stored(self, image_id: str) -> Stored:
        """Return where the maps of an image are, and what reads them.

        Raises:
            DataError: there are none, or they are of classes that do not exist.
            MapError: their number is not that of the classes.
        """
        name = self._names.of(image_id)
        if name is None:
            raise DataError(
                f"Image {image_id!r} has no map in {self.path}. {nearest(image_id, self.names()[:1000])} Name maps "
                "after image ids.",
                about=image_id,
            )
        if self._in_one(name):
            stored = self._stored_in_one(name, image_id)
        else:
            keys = self._by_class.get(name, {})
            maps = {k: partial(self.arrays.read, key) for k, key in keys.items()}
            stored = Stored(maps, {k: self.arrays.places[key].file for k, key in keys.items()}, named=True)
        if self.num_classes is not None and max(stored.maps, default=-1) >= self.num_classes:
            raise DataError(
                f"Image {image_id!r} has a map of class {max(stored.maps)} in {self.path}, but there are "
                f"{self.num_classes} classes, counted from 0. Check which classes the maps were made for.",
                about=image_id,
            )
        return stored

    def _stored_in_one(self, name: str, image_id: str) -> Stored:
        """Return the maps of an image that are one array.

        Raises:
            DataError: it cannot be read.
            MapError: it does not have as many maps as there are classes.
        """
        file = self.arrays.places[self._whole[name]].file
        array, named = self.arrays.read(self._whole[name]), name in self._classes
        array = array if named else single(array)
        if not named and array.ndim != 3:
            return Stored({CLASS_AGNOSTIC: lambda: array}, {CLASS_AGNOSTIC: file}, named=False)
        classes = self._named_classes(name) if named else list(range(len(array)))
        if array.ndim != 3 or len(array) != len(classes):
            raise MapError(
                f"{file} should hold maps (T, H, W) of {len(classes)} classes, but got {array.shape}. Write one map "
                "for each class."
            )
        if not named and self.num_classes not in (None, len(array)):
            raise MapError(
                f"The map of image {image_id!r} in {file} has shape {array.shape}, but there are {self.num_classes} "
                "classes. Save one map for each class, as (K, H, W); or only the label's, as (H, W); or the indices "
                f"(T,) of the classes as {Path(name).name}.classes.npy.",
                about=image_id,
            )
        maps = {k: partial(array.__getitem__, place) for place, k in enumerate(classes)}
        return Stored(maps, dict.fromkeys(classes, file), named)

    def size_of(self, image_id: str) -> tuple[int, int] | None:
        """Return (width, height) of the original image, or None where the files do not say it.

        Raises:
            DataError: it cannot be read, or is no size.
        """
        name = self._names.of(image_id)
        if name not in self._sizes:
            return None
        found = self.arrays.read(self._sizes[name]).tolist()
        if not (
            isinstance(found, list)
            and len(found) == 2
            and all(isinstance(n, int) and 0 < n <= MOST_PIXELS for n in found)
        ):
            raise DataError(
                f"The size of image {image_id!r} in {self.arrays.places[self._sizes[name]].file} should be (width, "
                f"height) of the original image, but is {found}. Write it again.",
                about=image_id,
            )
        return found[0], found[1]

    @cached_property
    def _names(self) -> MapNames:
        """The names of images, and of the maps of theirs that names give no class."""
        return MapNames(chain(self._whole, self._by_class, self._sizes), self._file_names)

    def _named_classes(self, name: str) -> list[int]:
        """Return the classes that an array of their own names for the maps of an image."""
        found = self.arrays.read(self._classes[name])
        classes = found.tolist() if found.ndim == 1 else []
        if found.ndim != 1 or (classes and found.dtype.kind not in "iu") or len(set(classes)) < len(classes):
            raise MapError(
                f"{self.arrays.places[self._classes[name]].file}: the classes should be different whole numbers (T,), "
                f"but are {found.dtype} {found.shape}: {found.ravel()[:8].tolist()}. Write one index for each map."
            )
        wrong = [k for k in classes if not CLASS_AGNOSTIC <= k < MOST_CLASSES]
        if wrong:
            raise MapError(
                f"{self.arrays.places[self._classes[name]].file} names class {wrong[0]}. Count classes from 0; "
                f"{CLASS_AGNOSTIC} is the class of a map that belongs to none."
            )
        return classes

    def _check_folder(self, image_ids: Sequence[str]) -> None:
        """Refuse maps of images in one folder of several, which is what should have been given.

        Raises:
            DataError: there are some.
        """
        for images in (image_ids, [self._file_names.get(each, each) for each in image_ids]):
            found = folder_of_images(self.names(), images)
            if found is not None:
                folder, example = found
                advice = "Keep the maps of each split in a file of their own."
                if (self.path / folder).is_dir():
                    advice = f"Give {self.path / folder}."
                raise DataError(
                    f"None of the {len(image_ids)} images has a map in {self.path}, but below '{folder}/' names end in "
                    f"the image ids, such as {example!r}, and other maps lie elsewhere. {advice}"
                )

    def _in_one(self, name: str) -> bool:
        """Whether the maps of an image are one array, and this is not the map of a class of another image."""
        return name in self._whole and not (name in self._by_class and self._image_of(name) != name)

    def _image_of(self, key: str) -> str:
        """Return the image that the name of an array is for."""
        name, _, index = key.rpartition("/")
        return name if CLASS.fullmatch(index) and key in self._by_class.get(name, {}).values() else key


def single(array: np.ndarray) -> np.ndarray:
    """Return (1, H, W) as (H, W), and anything else as it is."""
    return array[0] if array.ndim == 3 and len(array) == 1 else array
