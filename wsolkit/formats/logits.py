"""Class scores of images from a file, for metrics that ask which class a model names."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wsolkit.errors import DataError, first_few
from wsolkit.formats.arrays import open_arrays

__all__ = ["read_logits"]


def read_logits(path: str | Path, image_ids: Sequence[str], num_classes: int) -> dict[str, np.ndarray]:
    """Return the scores (K,) of each image, by image id; all of them are in memory.

    Args:
        path: a ``.npz`` file with one array (K,) for each image id, or a ``.csv`` file with lines
            ``id,score0,score1,...``; a heading is skipped.
        image_ids: the images that need scores; others are left out.
        num_classes: how many scores an image has.

    Raises:
        DataError: the file is missing or malformed, lacks an image, or has another number of classes.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        found = read_csv(path)
    elif path.suffix.lower() == ".npz":
        arrays = open_arrays(path)
        found = {name: arrays.read(name) for name in image_ids if name in arrays.places}
    else:
        raise DataError(f"Class scores should be a .npz or .csv file, but got {path}. Write id,score0,score1,...")
    missing = [each for each in image_ids if each not in found]
    if missing:
        raise DataError(
            f"{path} lacks the scores of {len(missing)} of {len(image_ids)} images: {first_few(missing)}. Name "
            "them by image id, with the ending."
        )
    for name in image_ids:
        scores = found[name]
        if scores.shape != (num_classes,) or scores.dtype.kind not in "fiu" or not np.isfinite(scores).all():
            raise DataError(
                f"{path}: the scores of {name!r} should be {num_classes} finite numbers, one for each class, but are "
                f"{scores.dtype} of shape {scores.shape}: {scores.ravel()[:4]!s}. Write them again."
            )
    return {name: found[name] for name in image_ids}


def read_csv(path: Path) -> dict[str, np.ndarray]:
    """Return the scores in a CSV file, by image id.

    Raises:
        DataError: the file is missing, a score is no number, or an image is there twice.
    """
    found: dict[str, np.ndarray] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                if not row or (number == 1 and row[0] in ("id", "image_id")):
                    continue
                if row[0] in found:
                    raise DataError(f"{path}, line {number}: {row[0]!r} is there twice. Remove one of the lines.")
                try:
                    found[row[0]] = np.array([float(cell) for cell in row[1:]])
                except ValueError as error:
                    raise DataError(f"{path}, line {number}: {error}. Write id,score0,score1,...") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}. Check the path, and write id,score0,score1,...") from error
    return found
