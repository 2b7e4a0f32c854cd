"""No image may be judged whose boxes a model was trained on."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from wsolkit.datasets.images import ImageDataset
from wsolkit.datasets.record import Record
from wsolkit.datasets.wrapped import innermost
from wsolkit.errors import DataError, first_few

__all__ = ["check_never_seen", "check_unseen", "names_with_split"]


def records_of(dataset: Any) -> Iterator[tuple[str, Record]]:
    """Yield the split and the record of each image of a data set, also of a wrapped one."""
    for part in innermost(dataset):
        for index in range(len(part) if isinstance(part, ImageDataset) else 0):
            yield part.split, part.record(index)


def names_with_split(dataset: Any) -> list[str]:
    """Return the names of a data set's images, each behind its split: what a checkpoint keeps."""
    return [f"{split}/{record['image_id']}" for split, record in records_of(dataset)]


def check_unseen(trained: Any, judged: Mapping[str, Any]) -> None:
    """Refuse data to be judged that has images whose boxes a training is about to see; files tell them apart.

    Args:
        trained: the data set of the training.
        judged: the data sets to be judged, or to choose thresholds and epochs on, by their splits.

    Raises:
        DataError: an image is in both.
    """

    def identity(record: Record) -> str:
        return os.path.realpath(record["image_path"]) if record["image_path"] else record["image_id"]

    seen = {identity(record) for _, record in records_of(trained)}
    for split, dataset in judged.items():
        refuse([record["image_id"] for _, record in records_of(dataset) if identity(record) in seen], split)


def check_never_seen(boxed: Collection[str], judged: Any, split: str) -> None:
    """Refuse data to be judged that has images whose boxes a model has seen; names and splits tell them apart.

    Args:
        boxed: what ``names_with_split`` said of its training.
        judged: the data set to be judged, or to choose thresholds on.
        split: what that is called.

    Raises:
        DataError: an image is in both.
    """
    if boxed:
        refuse([name for name in names_with_split(judged) if name in boxed], split)


def refuse(both: list[str], split: str) -> None:
    """Complain of images that are trained on and judged, where there are any.

    Raises:
        DataError: there are.
    """
    if both:
        raise DataError(
            f"{len(both)} images of the {split} split are among those whose boxes the model is trained on: "
            f"{first_few(both)}. Nothing can be judged or chosen on them: take other images for the training, such as "
            f"some of each class of val, or others for {split}."
        )
