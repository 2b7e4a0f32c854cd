"""Score maps in files: the one format that wsolkit writes, and the one reader of what it and other programs write.

**Written** are ``.npz`` files of named arrays, of one image or of many:

- ``<image id>/<class index>``: (H, W) float16 in [0, 1], the map of a class, over the whole image; class -1 is that of
  a class-agnostic map, which belongs to no class and answers for each;
- ``<image id>/width,height``: (2,) int64, the size of the original image, where it is known. An image without any map
  has this alone.

They lie in a folder ``maps/``: stages of a pipeline write one file for each image, ``maps/<image id>.npz``, so that
they go on with the images that have none and others can look at one; ``wsolkit predict --maps`` writes one for each of
its chunks. Nothing depends on how files are cut or called. ``maps/classes.txt`` names the classes, a line for each.

**Read** is whatever ``wsolkit.formats.arrays`` finds: ``.npz``, ``.safetensors`` and ``.npy`` files, alone or in
folders. An array is named after its image: the image id, with its ending or without (``wsolkit.formats.map_names``).

- In ``.npz`` and ``.safetensors`` files, ``<image id>/<class index>`` and ``<image id>/width,height`` as above.
- ``<image id>``, or a file ``<image id>.npy``: (H, W) is the map of the image's one label; (K, H, W) one map for each
  class; (T, H, W) the maps of the classes (T,) in ``<image id>.classes.npy`` beside it. (1, H, W) is read as (H, W).
- A file ``<image id>.npz`` with ``maps`` (T, H, W) and ``classes`` (T,), as other programs and earlier stages of
  pipelines wrote them; ``size`` there is (width, height) of the original image.

Scores are floats in [0, 1], or uint8 from 0 to 255.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wsolkit.errors import DataError, MapError, one_of, printable, telling
from wsolkit.files import path_below, whole_file
from wsolkit.formats.arrays import Arrays, open_arrays
from wsolkit.formats.map_index import CLASS_AGNOSTIC, SIZE, MapIndex, Match, Stored, single
from wsolkit.formats.map_size import NORMALIZE, checked_scores, min_max
from wsolkit.formats.text_lists import numbered_lines, write_lines

__all__ = [
    "CLASSES",
    "CLASS_AGNOSTIC",
    "ImageMaps",
    "Match",
    "ScoreMaps",
    "image_maps_file",
    "open_score_maps",
    "write_image_maps",
    "write_map_classes",
    "write_score_maps",
]

CLASSES = "classes.txt"
"""The file of the classes' names, beside the maps."""


@dataclass(frozen=True)
class ImageMaps:
    """The score maps of one image.

    Attributes:
        maps: (H, W) in [0, 1] over the whole image, by class; ``CLASS_AGNOSTIC`` for one that belongs to none.
        size: (width, height) of the original image, where it is known.
    """

    maps: Mapping[int, np.ndarray] = field(default_factory=dict)
    size: tuple[int, int] | None = None

    def of(self, label: int) -> np.ndarray:
        """Return the map (H, W) of a class; a class-agnostic map answers for every class.

        Raises:
            DataError: there is none.

        >>> ImageMaps({2: np.ones((1, 2))}).of(2).tolist()
        [[1.0, 1.0]]
        """
        found = self.maps.get(label, self.maps.get(CLASS_AGNOSTIC))
        if found is None:
            known = ", ".join(map(str, self.maps)) or "none"
            raise DataError(f"There is no map of class {label} here, only of {known}. Write that one too.")
        return found


def image_maps_file(folder: str | Path, image_id: str) -> Path:
    """Return the file of an image's maps below the folder of a stage; ``/`` in the name makes sub-folders.

    Raises:
        DataError: the name would lead out of the folder.

    >>> image_maps_file("work/maps", "owls/1.jpg").as_posix()
    'work/maps/maps/owls/1.jpg.npz'
    """
    return path_below(Path(folder) / "maps", image_id, ".npz")


def write_image_maps(folder: str | Path, image_id: str, found: ImageMaps) -> Path:
    """Write the maps of one image below the folder of a stage, whole or not at all, and return the file.

    Raises:
        DataError: the name leads out of the folder.
        MapError: as ``write_score_maps``.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = write_image_maps(folder, "a/1", ImageMaps({4: np.full((2, 2), 0.5)}, (640, 480)))
    >>> maps = open_score_maps(folder)
    >>> maps.names(), maps.image("a/1").size
    (['a/1'], (640, 480))
    """
    path = image_maps_file(folder, image_id)
    write_score_maps(path, {image_id: found})
    return path


def write_map_classes(folder: str | Path, classes: Sequence[str]) -> None:
    """Write the names of the classes of a folder's maps, a line each in the order of their indices, beside the maps.

    A reader that knows the classes of its data then tells when an index means another class there.
    """
    write_lines(Path(folder) / "maps" / CLASSES, classes)


def write_score_maps(path: str | Path, images: Mapping[str, ImageMaps]) -> None:
    """Write the maps of images as one file, whole or not at all.

    Args:
        path: the ``.npz`` file.
        images: maps and size of each image, by image id.

    Raises:
        MapError: a map is not (H, W), its class no index, a score not in [0, 1], or a size no size.
    """
    arrays = {}
    for image_id, found in images.items():
        name = printable(image_id)
        for k, score_map in found.maps.items():
            arrays[f"{name}/{int(k)}"] = checked_map(score_map, k, f"The map of image {image_id!r}, class {k},")
        if found.size is not None:
            if len(found.size) != 2 or min(found.size) < 1:
                raise MapError(f"The size of image {image_id!r} should be (width, height), but got {found.size}.")
            arrays[f"{name}/{SIZE}"] = np.asarray(found.size, np.int64)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def checked_map(score_map: np.ndarray, label: int, what: str) -> np.ndarray:
    """Return a map as it is written, in float16.

    Raises:
        MapError: it is no score map, or belongs to no class.
    """
    found = np.asarray(score_map)
    if found.ndim != 2 or not found.size or found.dtype.kind != "f":
        raise MapError(f"{what} should be floats (H, W), but got {found.dtype} {found.shape}.")
    if int(label) != label or label < CLASS_AGNOSTIC:
        raise MapError(f"{what} should be of a class from 0, or of class {CLASS_AGNOSTIC} for no class.")
    if not (float(found.min()) >= 0 and float(found.max()) <= 1):  # NaN is neither
        raise MapError(f"{what} should lie in [0, 1], but reaches from {float(found.min()):g} to {found.max():g}.")
    return found.astype(np.float16)


class ScoreMaps(MapIndex):
    """The maps of a file or folder; one image's are in memory at a time, and any thread may read.

    Args:
        arrays: where they are.
        normalize: ``none``, or ``minmax`` where scores may have any range.
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
        one_of("normalize", normalize, NORMALIZE)
        super().__init__(arrays, num_classes, file_names)
        self.normalize = normalize

    def check_classes(self, classes: Sequence[str]) -> None:
        """Compare the names of the classes beside the maps, where there are some, with those of the data.

        Raises:
            DataError: a class has another index here than in the data, so that it would get another one's map.
        """
        found = next((path for path in (self.path / "maps" / CLASSES, self.path / CLASSES) if path.is_file()), None)
        if found is None or not self.classes():
            return
        own = {name: index for index, name in enumerate(line for _, line in numbered_lines(found, keep=True))}
        for index, name in enumerate(classes):
            if own.get(name, index) != index:
                raise DataError(
                    f"Class {name!r} has the number {index} in the data, but its maps in {self.path} have the number "
                    f"{own[name]}. Give the classes in the order of the maps: --classes {found}."
                )

    def image(self, image_id: str) -> ImageMaps:
        """Return every map of an image and its size, as stored: maps of any range are not normalised.

        One map that no file gives a class is ``CLASS_AGNOSTIC``, unless there is but one class.

        Raises:
            DataError: there is none, or it is damaged.
            MapError: a map holds something else than scores.
        """
        stored = self.stored(image_id)
        maps = {k: self._checked(image_id, stored, k) for k in stored.maps}
        if self.num_classes == 1 and not stored.named and CLASS_AGNOSTIC in maps:
            maps = {0: maps[CLASS_AGNOSTIC]}
        return ImageMaps(maps, self.size_of(image_id))

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
        stored = self.stored(image_id)
        there = [k for k in stored.maps if k != CLASS_AGNOSTIC]
        for_each = CLASS_AGNOSTIC in stored.maps
        if present is None:
            if for_each and not there:
                self._check_one_class(image_id, stored)
                return {0: self._checked(image_id, stored, CLASS_AGNOSTIC)}
            wanted = there if stored.named else [k for k in there if np.any(stored.maps[k]())]
        else:
            self._check_present(image_id, stored, present)
            wanted = [*present, *(there if more is None else more)]
            wanted = [k for k in wanted if k in stored.maps or k in present or (for_each and stored.named)]
        return {k: self._checked(image_id, stored, k) for k in sorted(set(wanted))}

    def _checked(self, image_id: str, stored: Stored, k: int) -> np.ndarray:
        """Return the map of a class, as floats."""
        key = k if k in stored.maps else CLASS_AGNOSTIC
        of_class = f", class {key}," if key != CLASS_AGNOSTIC else ""
        what = f"The map of image {image_id!r}{of_class} in {stored.files[key]}"
        found = single(stored.maps[key]())
        with telling(image_id):
            return checked_scores(found, what, self.normalize)

    def _check_present(self, image_id: str, stored: Stored, present: Sequence[int]) -> None:
        """Refuse an image that shows a class without a map.

        Raises:
            DataError: there is none of the class, or one map without class is there for several.
            MapError: there are fewer maps than classes.
        """
        if CLASS_AGNOSTIC in stored.maps:
            if not stored.named and len(present) > 1:
                raise DataError(
                    f"The map of image {image_id!r} in {stored.files[CLASS_AGNOSTIC]} is one map, but the image has "
                    f"{len(present)} classes. Save one for each class, as (K, H, W) or under the names <image "
                    f"id>/<class index>; or under <image id>/{CLASS_AGNOSTIC} if it is that of every class.",
                    about=image_id,
                )
            return
        lacking = [k for k in present if k not in stored.maps]
        if not lacking:
            return
        if not stored.named:
            raise MapError(
                f"The map of image {image_id!r} in {stored.files[0]} has {len(stored.maps)} maps, but the image shows "
                f"class {lacking[0]}. Save one for each.",
                about=image_id,
            )
        raise DataError(
            f"Image {image_id!r} has maps of the classes {sorted(stored.maps)[:10]} in {self.path}, but none of class "
            f"{lacking[0]}, which it shows. Write the maps of the true classes (wsolkit predict --classes folder).",
            about=image_id,
        )

    def _check_one_class(self, image_id: str, stored: Stored) -> None:
        """Refuse one map without class where there are several classes.

        Raises:
            DataError: there are.
        """
        if (self.num_classes or 1) > 1:
            raise DataError(
                f"The map of image {image_id!r} in {stored.files[CLASS_AGNOSTIC]} is one map, and nothing says of "
                f"which of the {self.num_classes} classes. Give the labels (--metadata), or save one for each class.",
                about=image_id,
            )


def open_score_maps(
    path: str | Path,
    normalize: str = "none",
    num_classes: int | None = None,
    file_names: Mapping[str, str] | None = None,
    classes: Sequence[str] | None = None,
) -> ScoreMaps:
    """List the score maps of a file or folder, without reading them; see the head of this module for which.

    Args:
        path: a folder that a stage or ``wsolkit predict --maps`` wrote, or files of any program.
        normalize: ``none``, or ``minmax`` where scores may have any range.
        num_classes: number of classes, where it is known.
        file_names: further names of images by image id, tried after the ids: COCO's ``file_name``.
        classes: names of the data's classes, by index; their number is ``num_classes`` then.

    Raises:
        ConfigError: ``normalize`` is unknown.
        DataError: there are no maps, a file is damaged, or a class has another index in the data.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> np.save(folder / "bird.jpg.npy", np.array([[0.0, 0.5]], np.float32))
    >>> open_score_maps(folder).maps_of("bird.jpg", [7])
    {7: array([[0. , 0.5]], dtype=float32)}
    """
    maps = ScoreMaps(open_arrays(path), normalize, num_classes if classes is None else len(classes), file_names)
    if classes is not None:
        maps.check_classes(classes)
    return maps
