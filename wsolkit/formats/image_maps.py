"""The score maps of one image as one file: what a stage that makes maps leaves for the stages after it.

``<folder>/maps/<image id>.npz`` holds ``classes`` (T,) int64, ``maps`` (T, H, W) float16 in [0, 1] over the whole
image, and ``size``, (width, height) of the original image. A map that belongs to no class has class -1.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsolkit.errors import DataError, MapError, nearest
from wsolkit.files import path_below, whole_file

__all__ = ["NO_CLASS", "ImageMaps", "image_maps_file", "list_image_maps", "read_image_maps", "write_image_maps"]

MAPS = "maps"
ENDING = ".npz"
NO_CLASS = -1
"""The class of a class-agnostic map."""


@dataclass(frozen=True)
class ImageMaps:
    """The score maps of one image.

    Attributes:
        classes: (T,) int64, the class of each map; -1 for a map that belongs to none.
        maps: (T, H, W) in [0, 1], over the whole image.
        size: (width, height) of the original image.
    """

    classes: np.ndarray
    maps: np.ndarray
    size: tuple[int, int]

    def of(self, label: int) -> np.ndarray:
        """Return the map (H, W) of a class; a class-agnostic map answers for every class.

        Raises:
            DataError: there is none.

        >>> found = ImageMaps(np.array([2]), np.ones((1, 1, 2)), (20, 10))
        >>> found.of(2).tolist()
        [[1.0, 1.0]]
        """
        places = np.flatnonzero((self.classes == label) | (self.classes == NO_CLASS))
        if not len(places):
            known = ", ".join(map(str, self.classes.tolist())) or "none"
            raise DataError(f"There is no map of class {label} here, only of {known}. Write that one too.")
        return self.maps[places[0]]


def image_maps_file(folder: str | Path, image_id: str) -> Path:
    """Return the file of an image's maps below the folder of a stage; ``/`` in the name makes sub-folders.

    Raises:
        DataError: the name would lead out of the folder.

    >>> image_maps_file("work/maps", "owls/1.jpg").as_posix()
    'work/maps/maps/owls/1.jpg.npz'
    """
    return path_below(Path(folder) / MAPS, image_id, ENDING)


def write_image_maps(folder: str | Path, image_id: str, found: ImageMaps) -> Path:
    """Write the maps of one image, whole or not at all, and return the file.

    Args:
        folder: the stage's folder.
        image_id: name of the image.
        found: classes, maps in [0, 1] and size.

    Raises:
        DataError: the name leads out of the folder.
        MapError: the arrays do not fit each other, or scores are not in [0, 1].

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = write_image_maps(folder, "a/1", ImageMaps(np.array([4]), np.full((1, 2, 2), 0.5), (640, 480)))
    >>> list_image_maps(folder), read_image_maps(folder, "a/1").size
    (['a/1'], (640, 480))
    """
    path = image_maps_file(folder, image_id)
    check(found, f"The maps of image {image_id!r}")
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            classes=np.asarray(found.classes, np.int64),
            maps=np.asarray(found.maps, np.float16),
            size=np.asarray(found.size, np.int64),
        )
    return path


def read_image_maps(folder: str | Path, image_id: str) -> ImageMaps:
    """Return the maps of one image, in float16.

    Args:
        folder: the folder of a stage that wrote maps.
        image_id: name of the image.

    Raises:
        DataError: there is no file for the image, with the nearest names, or it is damaged.
        MapError: what the file holds are no maps.
    """
    path = image_maps_file(folder, image_id)
    if not path.is_file():
        known = list_image_maps(folder)
        raise DataError(f"There are no maps of image {image_id!r} in {Path(folder) / MAPS}. {nearest(image_id, known)}")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            lacking = [name for name in ("classes", "maps", "size") if name not in arrays.files]
            if not lacking:
                width, height = arrays["size"].tolist()
                found = ImageMaps(arrays["classes"], arrays["maps"], (width, height))
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"The maps of image {image_id!r} cannot be read from {path} ({error}). Remove the file and run the stage "
            "that wrote it again."
        ) from None
    if lacking:
        raise DataError(f"{path} lacks {', '.join(lacking)}: no stage of a pipeline wrote it. Remove it.")
    check(found, str(path))
    return found


def list_image_maps(folder: str | Path) -> list[str]:
    """Return the ids of the images that have maps below the folder of a stage, sorted.

    Raises:
        DataError: there are none.
    """
    root = Path(folder) / MAPS
    names = sorted(path.relative_to(root).as_posix().removesuffix(ENDING) for path in root.rglob(f"*{ENDING}"))
    if not names:
        raise DataError(f"There are no maps in {root}. Give the folder of a stage that writes maps, such as Maps.")
    return names


def check(found: ImageMaps, what: str) -> None:
    """Compare classes, maps and size with each other.

    Raises:
        MapError: they do not fit, or a score is not in [0, 1].
    """
    classes, maps = np.asarray(found.classes), np.asarray(found.maps)
    if maps.ndim != 3 or classes.shape != maps.shape[:1]:
        raise MapError(f"{what} should be (T, H, W) with T classes, but got {maps.shape} with classes {classes.shape}.")
    if classes.size and not np.issubdtype(classes.dtype, np.integer):
        raise MapError(f"{what}: the classes should be whole numbers, but got {classes.dtype}.")
    if len(found.size) != 2 or min(found.size) < 1:
        raise MapError(f"{what}: the size should be (width, height) of the original image, but got {found.size}.")
    if maps.size and not (float(maps.min()) >= 0 and float(maps.max()) <= 1):  # NaN is neither
        raise MapError(f"{what} should lie in [0, 1], but reach from {float(maps.min()):g} to {float(maps.max()):g}.")
