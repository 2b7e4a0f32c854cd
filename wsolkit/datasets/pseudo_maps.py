"""Score maps of an earlier stage as what a training looks at beside the labels: never annotations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from wsolkit.datasets.record import Record
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.score_maps import open_score_maps

__all__ = ["PseudoMaps", "refuse_annotations"]

ANNOTATIONS = {".json", ".xml", ".txt", ".csv", ".yaml", ".yml", ".png", ".gif", ".bmp", ".tif", ".tiff"}
"""Endings of the files that hold boxes or masks."""

MAPS = "the score maps of a model: the folder of a Maps stage, or of `wsolkit predict --maps`"


def refuse_annotations(path: str | Path) -> None:
    """Refuse a file of boxes or masks, by its ending, and a folder that has such files and no arrays.

    Raises:
        ConfigError: it is one.
    """
    path = Path(path)
    wrong = path if path.suffix.lower() in ANNOTATIONS else None
    if wrong is None and path.is_dir():
        files = [each for each in path.rglob("*") if each.is_file()]
        arrays = any(each.suffix in (".npz", ".npy", ".safetensors") for each in files)
        wrong = None if arrays else next((each for each in files if each.suffix.lower() in ANNOTATIONS), None)
    if wrong is not None:
        raise ConfigError(
            f"pseudo_maps are {MAPS}. {wrong} holds boxes, masks or labels, and a training never sees annotations. "
            "Name a folder of maps."
        )


class PseudoMaps:
    """The map of each training image that an earlier stage has made.

    Args:
        path: a folder of score maps, see ``wsolkit.formats.open_score_maps``.
        classes: the classes of the data, by index.
        image_ids: the images, each of which has to have a map.

    Raises:
        ConfigError: it is a file of annotations.
        DataError: there are no maps, or an image has none.
    """

    def __init__(self, path: str | Path, classes: Sequence[str], image_ids: Iterable[str]) -> None:
        refuse_annotations(path)
        self.maps = open_score_maps(path, classes=classes)
        if missing := self.maps.match(image_ids).missing:
            raise DataError(
                f"{path} has no map of image {missing[0]!r}"
                + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
                + ". Write those of the whole split: dict(type='Maps', split='train', ...)."
            )

    def of(self, record: Record, size: tuple[int, int]) -> np.ndarray:
        """Return the map of an image, (H, W) float32 in [0, 1]: the largest score of its classes at each pixel.

        An image without a class has zeros.

        Args:
            record: the image.
            size: (H, W) that it is brought to.

        Raises:
            DataError: a map is missing or damaged, or holds two values alone, as a mask does.
        """
        labels, name = record["labels"], record["image_id"]
        found = np.zeros(size, np.float32)
        for each in self.maps.maps_of(name, labels).values() if labels else ():
            low, high = float(each.min()), float(each.max())
            if low < high and bool(((each == low) | (each == high)).all()):
                raise DataError(
                    f"The map of image {name!r} in {self.maps.path} holds {low:g} and {high:g} alone: it is a mask. "
                    f"pseudo_maps are {MAPS}; a training never sees annotations.",
                    about=name,
                )
            scores = np.ascontiguousarray(each, np.float32)
            np.maximum(found, cv2.resize(scores, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), out=found)
        return found
