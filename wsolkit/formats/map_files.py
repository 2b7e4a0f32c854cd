"""Score maps in files: which map belongs to which image and class, and whether its numbers are scores.

A map is named after its image: the image id, with its ending or without; folders that all names share may go before
it. An array (H, W) is the map of the image's one label; (K, H, W) is one map per class; in ``.npz`` and
``.safetensors`` files a name ``<image id>/<class index>`` is the map (H, W) of that class. (1, H, W) is read as (H, W).
See ``wsolkit.formats.arrays`` for the files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np

from wsolkit.errors import ConfigError, DataError, MapError, nearest
from wsolkit.formats.arrays import Arrays, open_arrays
from wsolkit.formats.map_names import MapNames, folder_of_images
from wsolkit.formats.map_size import NORMALIZE, checked_scores, min_max

__all__ = ["MapFiles", "Match", "open_maps"]


@dataclass
class Match:
    """Which images of a data set have a map.

    Attributes:
        missing: images without one, in the order of the data.
        unknown: names of maps that belong to no image.
    """

    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


class MapFiles:
    """The maps of a file or folder; one image's are in memory at a time.

    Args:
        arrays: where they are.
        normalize: ``none``, or ``minmax`` where scores may have any range and are to be brought to [0, 1].
        num_classes: number of classes, where it is known: a (K, H, W) array has to have as many maps.
        file_names: further names of images by image id, tried after the ids: COCO's ``file_name``.

    Raises:
        ConfigError: ``normalize`` is unknown.
    """

    def __init__(
        self,
        arrays: Arrays,
        normalize: str = "none",
        num_classes: int | None = None,
        file_names: Mapping[str, str] | None = None,
    ) -> None:
        if normalize not in NORMALIZE:
            raise ConfigError(f"normalize should be one of {NORMALIZE}, but got {normalize!r}.")
        self.arrays = arrays
        self.normalize = normalize
        self.num_classes = num_classes
        self._file_names = dict(file_names or {})
        self._by_class: dict[str, dict[int, str]] = {}
        for key in arrays.files if arrays.many else ():
            name, _, index = key.rpartition("/")
            if name and index.isascii() and index.isdigit():
                self._by_class.setdefault(name, {})[int(index)] = key

    @property
    def path(self) -> Path:
        """The file or folder."""
        return self.arrays.path

    def names(self) -> list[str]:
        """Return the names of the images that have maps, each once, as the files write them."""
        return list(dict.fromkeys(self._image_of(key) for key in self.arrays.files))

    def classes(self) -> list[int]:
        """Return the class indices that names of arrays give, rising; none where names give no class."""
        return sorted({index for found in self._by_class.values() for index in found})

    def largest_stack(self) -> int:
        """Return the largest K of the arrays (K, H, W), by their headers; 0 where there is none that can be read."""
        return max((shape[0] for shape in self.arrays.shapes() if len(shape) == 3), default=0)

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
            used |= {name} if name in self.arrays.files else set(self._by_class[name].values())
        found.unknown = list(dict.fromkeys(self._image_of(key) for key in self.arrays.files if key not in used))
        if image_ids and len(found.missing) == len(image_ids):
            self._check_folder(image_ids)
        return found

    def has(self, image_id: str) -> bool:
        """Whether there is a map of an image."""
        return self._name_of(image_id) is not None

    def lacking(self, image_id: str, present: Sequence[int]) -> list[int]:
        """Return the classes of an image for which names say that there is no map, without reading one."""
        name = self._name_of(image_id)
        if name is None:
            return list(present)
        return [] if name in self.arrays.files else [k for k in present if k not in self._by_class[name]]

    def maps_of(
        self, image_id: str, present: Sequence[int] | None, more: Collection[int] | None = ()
    ) -> dict[int, np.ndarray]:
        """Return the (H, W) map in [0, 1] of each class of an image, as stored or normalised.

        Args:
            image_id: the image's name.
            present: its classes, which have to have a map. None where they are unknown: of several maps each one
                counts that is not zero everywhere, and a single one where there is but one class.
            more: classes whose maps are returned where they are there; None for every class.

        Raises:
            DataError: a map is missing or damaged, or a single map cannot be told which class it belongs to.
            MapError: a map holds something else than scores.
        """
        found = self.read(image_id, present, more)
        return {k: min_max(each) for k, each in found.items()} if self.normalize == "minmax" else found

    def read(
        self, image_id: str, present: Sequence[int] | None, more: Collection[int] | None = ()
    ) -> dict[int, np.ndarray]:
        """Return the maps as ``maps_of`` does, but not normalised: resizing comes first."""
        name = self._name_of(image_id)
        if name is None:
            raise DataError(
                f"Image {image_id!r} has no map in {self.path}. {nearest(image_id, self.names()[:1000])} Name maps "
                "after image ids."
            )
        if name in self.arrays.files:
            return self._of_array(name, image_id, present, more)
        return self._of_classes(name, image_id, present, more)

    def _of_array(
        self, name: str, image_id: str, present: Sequence[int] | None, more: Collection[int] | None
    ) -> dict[int, np.ndarray]:
        """Return the maps in the one array of an image."""
        what = f"The map of image {image_id!r} in {self.arrays.files[name]}"
        array = single(self.arrays.read(name))
        if array.ndim != 3:
            if present is not None and len(present) > 1:
                raise DataError(
                    f"{what} is one map, but the image has {len(present)} classes. Save one for each class, as "
                    "(K, H, W) or under the names <image id>/<class index>."
                )
            if present is None and (self.num_classes or 1) > 1:
                raise DataError(
                    f"{what} is one map, and nothing says of which of the {self.num_classes} classes. Give the labels "
                    "(--metadata), or save one for each class."
                )
            return {k: checked_scores(array, what, self.normalize) for k in ([0] if present is None else present)}
        if self.num_classes is not None and len(array) != self.num_classes:
            raise MapError(
                f"{what} has shape {array.shape}, but there are {self.num_classes} classes. Save one map for each "
                "class, as (K, H, W), or only the label's, as (H, W)."
            )
        wanted = set(range(len(array)) if more is None or present is None else more) | set(present or ())
        outside = [k for k in present or () if k >= len(array)]
        if outside:
            raise MapError(f"{what} has {len(array)} maps, but the image shows class {outside[0]}. Save one for each.")
        found = {k: array[k] for k in sorted(wanted) if k < len(array)}
        return {
            k: checked_scores(each, f"{what}, class {k},", self.normalize)
            for k, each in found.items()
            if present is not None or np.any(each)
        }

    def _of_classes(
        self, name: str, image_id: str, present: Sequence[int] | None, more: Collection[int] | None
    ) -> dict[int, np.ndarray]:
        """Return the maps of an image that lie under ``<name>/<class index>``."""
        keys = self._by_class[name]
        lacking = [k for k in present or () if k not in keys]
        if lacking:
            raise DataError(
                f"Image {image_id!r} has maps of the classes {sorted(keys)[:10]} in {self.path}, but none of class "
                f"{lacking[0]}, which it shows. Write the maps of the true classes (wsolkit predict --classes folder)."
            )
        if self.num_classes is not None and max(keys) >= self.num_classes:
            raise DataError(
                f"Image {image_id!r} has a map of class {max(keys)} in {self.path}, but there are {self.num_classes} "
                "classes, counted from 0. Check which classes the maps were made for."
            )
        wanted = set(keys) if more is None or present is None else set(present) | (set(more) & set(keys))
        found = {}
        for k in sorted(wanted):
            what = f"The map of image {image_id!r}, class {k}, in {self.arrays.files[keys[k]]}"
            found[k] = checked_scores(single(self.arrays.read(keys[k])), what, self.normalize)
        return found

    @cached_property
    def _names(self) -> MapNames:
        """The names of images, and of the maps of theirs that names give no class."""
        return MapNames(chain(self.arrays.files, self._by_class), self._file_names)

    def _name_of(self, image_id: str) -> str | None:
        """Return what the files call an image, or None where they have no map of it."""
        return self._names.of(image_id)

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
                if not self.arrays.many:
                    advice = f"Give {self.path / folder}."
                raise DataError(
                    f"None of the {len(image_ids)} images has a map in {self.path}, but below '{folder}/' names end in "
                    f"the image ids, such as {example!r}, and other maps lie elsewhere. {advice}"
                )

    def _image_of(self, key: str) -> str:
        """Return the image that the name of an array is for."""
        name, _, index = key.rpartition("/")
        return name if index.isdigit() and key in self._by_class.get(name, {}).values() else key


def open_maps(
    path: str | Path,
    normalize: str = "none",
    num_classes: int | None = None,
    file_names: Mapping[str, str] | None = None,
) -> MapFiles:
    """List the score maps of a file or folder, without reading them.

    Args:
        path: a folder of ``<image id>.npy``; a ``.npz`` or ``.safetensors`` file, or a folder of such shards, with the
            names ``<image id>`` or ``<image id>/<class index>``; or a folder of ``wsolkit predict --maps``.
        normalize: ``none``, or ``minmax`` where scores may have any range.
        num_classes: number of classes, where it is known.
        file_names: further names of images by image id, tried after the ids: COCO's ``file_name``.

    Raises:
        ConfigError: ``normalize`` is unknown.
        DataError: there are no maps, or a file is damaged.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> np.save(folder / "bird.jpg.npy", np.array([[0.0, 0.5]], np.float32))
    >>> open_maps(folder).maps_of("bird.jpg", [7])
    {7: array([[0. , 0.5]], dtype=float32)}
    """
    return MapFiles(open_arrays(path), normalize, num_classes, file_names)


def single(array: np.ndarray) -> np.ndarray:
    """Return (1, H, W) as (H, W), and anything else as it is."""
    return array[0] if array.ndim == 3 and len(array) == 1 else array
