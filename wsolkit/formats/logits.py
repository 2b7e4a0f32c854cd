"""Class scores of images from a file, for metrics that ask which class a model names."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wsolkit.errors import DataError, first_few
from wsolkit.formats.arrays import open_arrays
from wsolkit.formats.csv_boxes import plain
from wsolkit.formats.text_lists import set_once
from wsolkit.text_files import read_text

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
        DataError: the file is missing, a score is no number, or an image is there twice with different ones.
    """
    found: dict[str, tuple[float, ...]] = {}
    rows = csv.reader(io.StringIO(read_text(path, "Class scores"), newline=""))
    try:
        for row in rows:
            if not row or (rows.line_num == 1 and row[0] in ("id", "image_id")):
                continue
            where = f"{path}, line {rows.line_num}"
            try:
                scores = tuple(float(cell) for cell in row[1:])
            except ValueError as error:
                raise DataError(f"{where}: {error}. Write id,score0,score1,...") from error
            set_once(found, plain(row[0]), scores, where)
    except csv.Error as error:
        raise DataError(f"{path} cannot be read: {error}. Write id,score0,score1,...") from error
    return {name: np.array(scores) for name, scores in found.items()}
