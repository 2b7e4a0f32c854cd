"""Class activation maps of an image, from a stage of wsolkit or from files of another program, of any range.

``wsolkit.formats.score_maps`` says which files are read. Classes count from 0 without the background.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from wsolkit import DataError
from wsolkit.formats import CLASS_AGNOSTIC, ScoreMaps, open_score_maps

__all__ = ["class_maps", "class_scores", "normalised", "open_class_maps"]


def normalised(maps: np.ndarray) -> np.ndarray:
    """Return maps (T, H, W) cut off below 0 and divided by their own maximum; a map without a positive score stays 0.

    >>> normalised(np.array([[[-1.0, 2.0]], [[0.0, -3.0]]])).tolist()
    [[[0.0, 1.0]], [[0.0, 0.0]]]
    """
    positive = np.maximum(maps, 0)
    highest = positive.max(axis=(1, 2), keepdims=True, initial=0)
    return positive / np.where(highest > 0, highest, 1)


def open_class_maps(folder: str | Path, classes: Sequence[str]) -> ScoreMaps:
    """Open the class maps of a split; they may have any range, since each is divided by its maximum.

    Raises:
        DataError: there are none, a file is damaged, or a class has another number in the data.
    """
    return open_score_maps(folder, normalize="minmax", classes=classes)


def class_maps(maps: ScoreMaps, image_id: str) -> dict[int, np.ndarray]:
    """Return the map (h, w) of each class that an image has one of, as stored.

    Raises:
        DataError: there is none, it cannot be read safely, or it belongs to no class.
        MapError: what is there are no maps of these classes.
    """
    found = maps.image(image_id).maps
    if CLASS_AGNOSTIC in found:
        raise DataError(
            f"{maps.path} holds a class-agnostic map of image {image_id!r}; pseudo masks need a map for each class. "
            "Take CAMs."
        )
    return dict(found)


def class_scores(
    maps: ScoreMaps, image_id: str, classes: Sequence[int] | None, size: tuple[int, int]
) -> dict[int, np.ndarray]:
    """Return the maps of some classes, resized to the image and max-normalised, (H, W) float32 in [0, 1] by class.

    Args:
        maps: where maps are.
        image_id: name of the image.
        classes: the classes, from 0; None for all that have a map.
        size: (width, height) of the image.

    Raises:
        DataError: there are no maps of the image or of a class.
        MapError: what is there are no maps.
    """
    found = class_maps(maps, image_id)
    lacking = [label for label in classes or () if label not in found]
    if lacking:
        raise DataError(
            f"{maps.path} has maps of the classes {sorted(found)} of image {image_id!r}, but not of {lacking}, "
            "which is in the image. Write the maps of all classes of an image, or set labels='maps'."
        )
    wanted = sorted(found if classes is None else set(classes))
    large = [cv2.resize(found[k].astype(np.float32), size, interpolation=cv2.INTER_LINEAR) for k in wanted]
    return dict(zip(wanted, normalised(np.array(large, np.float32).reshape(len(wanted), *size[::-1])), strict=True))
