"""Class activation maps of an image, from a stage of wsolkit or from files of another program.

Read are, for the image ``2007_000032``:

- ``maps/2007_000032.npz`` of a stage that wrote maps;
- ``2007_000032.npz`` with ``maps`` (T, h, w) and ``classes`` (T,);
- ``2007_000032.npy``, (K, h, w) with a map of every class, or (T, h, w) beside ``2007_000032.classes.npy``, (T,).

Classes count from 0 without the background. An image name that ends in .jpg or the like may be without that ending.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from wsolkit import DataError, MapError, path_below
from wsolkit.formats import NO_CLASS, image_maps_file, read_image_maps

__all__ = ["class_scores", "normalised", "read_class_maps"]

Maps = tuple[np.ndarray, np.ndarray]
"""Classes (T,) and maps (T, h, w)."""


def normalised(maps: np.ndarray) -> np.ndarray:
    """Return maps (T, H, W) cut off below 0 and divided by their own maximum; a map without a positive score stays 0.

    >>> normalised(np.array([[[-1.0, 2.0]], [[0.0, -3.0]]])).tolist()
    [[[0.0, 1.0]], [[0.0, 0.0]]]
    """
    positive = np.maximum(maps, 0)
    highest = positive.max(axis=(1, 2), keepdims=True, initial=0)
    return positive / np.where(highest > 0, highest, 1)


def class_scores(
    folder: str | Path, image_id: str, classes: Sequence[int], size: tuple[int, int], num_classes: int
) -> np.ndarray:
    """Return the maps of some classes, resized to the image and max-normalised, (T, H, W) float32 in [0, 1].

    Args:
        folder: where maps are, see above.
        image_id: name of the image.
        classes: T classes, from 0.
        size: (width, height) of the image.
        num_classes: how many classes there are.

    Raises:
        DataError: there are no maps of the image or of a class.
        MapError: what is there are no maps.
    """
    known, maps = read_class_maps(folder, image_id, num_classes)
    lacking = [label for label in classes if label not in known]
    if lacking:
        raise DataError(
            f"{folder} has maps of the classes {sorted(known.tolist())} of image {image_id!r}, but not of {lacking}, "
            "which is in the image. Write the maps of all classes of an image, or set labels='maps'."
        )
    places = [known.tolist().index(label) for label in classes]
    large = [cv2.resize(maps[place].astype(np.float32), size, interpolation=cv2.INTER_LINEAR) for place in places]
    return normalised(np.array(large, np.float32).reshape(len(places), size[1], size[0]))


def read_class_maps(folder: str | Path, image_id: str, num_classes: int) -> Maps:
    """Return the classes (T,) and the maps (T, h, w) of an image.

    Raises:
        DataError: there is no file for the image, or it cannot be read safely.
        MapError: what it holds are no maps of these classes.
    """
    if image_maps_file(folder, image_id).is_file():
        found = read_image_maps(folder, image_id)
        classes, maps, path = found.classes, found.maps, image_maps_file(folder, image_id)
    else:
        path = foreign_file(folder, image_id)
        classes, maps = read_npz(path) if path.suffix == ".npz" else read_npy(path, num_classes)
    if NO_CLASS in classes:
        raise DataError(f"{path} holds a class-agnostic map; pseudo masks need a map for each class. Take CAMs.")
    if maps.ndim != 3 or classes.shape != maps.shape[:1] or maps.dtype.kind not in "fiu":
        raise MapError(
            f"{path} should hold maps (T, h, w) with T classes, but got {maps.shape} {maps.dtype} with classes "
            f"{classes.shape}."
        )
    if not np.isfinite(maps).all():
        raise MapError(f"{path} holds NaN or infinity, so nothing can be compared. Make the maps again.")
    if classes.dtype.kind not in "iu" or len(set(classes.tolist())) < len(classes):
        raise MapError(f"{path}: the classes should be different whole numbers, but got {classes.tolist()[:8]}.")
    if len(classes) and (int(classes.min()) < 0 or int(classes.max()) >= num_classes):
        raise MapError(
            f"{path}: classes should lie in 0 to {num_classes - 1}, but got {classes.tolist()[:8]}. Classes count from "
            "0 without the background."
        )
    return classes, maps


def foreign_file(folder: str | Path, image_id: str) -> Path:
    """Return the file of another program that holds the maps of an image.

    Raises:
        DataError: there is none.
    """
    names = [image_id, str(PurePosixPath(image_id).with_suffix(""))]
    tried = [path_below(folder, name, suffix) for name in dict.fromkeys(names) for suffix in (".npz", ".npy")]
    found = next((path for path in tried if path.is_file()), None)
    if found is None:
        raise DataError(
            f"There are no class maps of image {image_id!r}: neither {image_maps_file(folder, image_id)} nor "
            f"{' nor '.join(map(str, tried))}. Give the folder of a stage that wrote maps of this split."
        )
    return found


def read_npz(path: Path) -> Maps:
    """Return what an ``.npz`` file holds.

    Raises:
        DataError: it cannot be read, or lacks ``maps`` or ``classes``.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if {"maps", "classes"} <= set(arrays.files):
                return arrays["classes"], arrays["maps"]
            held = ", ".join(arrays.files)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise unreadable(path, error) from None
    raise DataError(f"{path} should hold maps (T, h, w) and classes (T,), but holds {held or 'nothing'}.")


def read_npy(path: Path, num_classes: int) -> Maps:
    """Return what an ``.npy`` file holds, with the classes of the file beside it or all of them.

    Raises:
        DataError: it cannot be read.
        MapError: it has no map for each class, and nothing says which ones they are.
    """
    beside = path.with_name(f"{path.stem}.classes.npy")
    try:
        maps = np.load(path, allow_pickle=False)
        if beside.is_file():
            return np.load(beside, allow_pickle=False), maps
    except (OSError, ValueError, EOFError) as error:
        raise unreadable(path, error) from None
    if maps.ndim != 3 or len(maps) != num_classes:
        raise MapError(
            f"{path} should hold a map for each of the {num_classes} classes, but got {maps.shape}. "
            f"Where it holds some classes only, save their indices (T,) as {beside.name}."
        )
    return np.arange(num_classes), maps


def unreadable(path: Path, error: Exception) -> DataError:
    """Return the error for a file that cannot be read, with the way out for pickled dicts."""
    if "pickle" in str(error).lower():
        return DataError(
            f"{path} holds a pickled Python object, such as the dict that IRN and others save. Loading it could run "
            "code, so it was not loaded. Convert it where you trust it: d = np.load(path, allow_pickle=True).item(); "
            "np.savez(path[:-4] + '.npz', maps=d['high_res'], classes=d['keys']), then remove the .npy file."
        )
    return DataError(f"{path} cannot be read: {error}. Write it again.")
