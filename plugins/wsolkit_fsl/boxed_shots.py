"""A few images of each class with their boxes, out of a split that nothing is judged on; and the rest of that split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from wsolkit import DATASETS, ConfigError, DataError, Targets
from wsolkit.datasets import ImageDataset, Record

__all__ = ["BoxedShots", "shots_of_each_class"]

JUDGED = "test"
"""The split that results are judged on."""


def shots_of_each_class(labels: Sequence[int], shots: int, draw: int | None = None) -> list[bool]:
    """Tell which images are the shots: so many of each class.

    Args:
        labels: the class of each image.
        shots: how many of each class.
        draw: seed of the draw; None for the first of each class.

    Raises:
        DataError: a class has fewer.

    >>> shots_of_each_class([0, 1, 0, 1, 1], 1)
    [True, True, False, False, False]
    """
    order = np.arange(len(labels)) if draw is None else np.random.default_rng(draw).permutation(len(labels))
    taken: dict[int, int] = dict.fromkeys(labels, 0)
    chosen = [False] * len(labels)
    for place in order.tolist():
        if taken[labels[place]] < shots:
            taken[labels[place]] += 1
            chosen[place] = True
    short = next((label for label, number in taken.items() if number < shots), None)
    if short is not None:
        raise DataError(f"Class {short} has {taken[short]} images with boxes, but shots={shots}. Ask for fewer.")
    return chosen


class BoxedShots(ImageDataset):
    """So many images of each class of another data set, with their boxes for training; or those that are left.

    It is the only way by which boxes reach a ``FewShotLocalizer``. Trainings take ``part="train"``; with
    ``part="rest"`` epochs and thresholds are chosen on the other images of the same split, whose boxes are not trained
    on.

    Args:
        dataset: configuration of the data set, with one label for each image and boxes: the validation split.
        shots: how many images of each class are trained on.
        part: ``train`` for these, ``rest`` for the others.
        draw: seed of the choice; by default the first images of each class in the list of the split. Both parts need
            the same.
        **options: see ``ImageDataset``; the pipeline is this one's, not that of ``dataset``.

    Raises:
        ConfigError: the split is the one that results are judged on, or images have several labels.
        DataError: an image has no box, a class too few images, or nothing is left.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any],
        shots: Annotated[int, "at least 1"] = 4,
        part: Literal["train", "rest"] = "train",
        draw: int | None = None,
        **options: Any,
    ) -> None:
        inner = {**dataset, "load_targets": True, "test_mode": True}
        self.inner: ImageDataset = DATASETS.build(inner)
        self.shots, self.part, self.draw = shots, part, draw
        if part == "train" and self.inner.split == JUDGED:
            raise ConfigError(
                f"BoxedShots would train on boxes of the split {JUDGED!r}, on which results are judged. Take the "
                "validation split: dataset=dict(..., split='val')."
            )
        if self.inner.metainfo["multi_label"]:
            raise ConfigError(
                "BoxedShots takes so many images of each class, but the images of this data set have several classes "
                "each. Take data with one label for each image."
            )
        given = {"split": self.inner.split, "load_targets": True, **options, "transform_targets": part == "train"}
        super().__init__(**given)

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the records of this part and the class names."""
        records = [self.inner.record(index) for index in range(len(self.inner))]
        generated = type(self.inner).targets is not ImageDataset.targets  # boxes are made with the images
        bare = [record["image_id"] for record in records if not record.get("boxes")]
        if bare and not generated:
            raise DataError(
                f"BoxedShots needs a box for every image, but {bare[0]!r} has none. Take a split with boxes."
            )
        chosen = shots_of_each_class([record["labels"][0] for record in records], self.shots, self.draw)
        kept = [record for record, shot in zip(records, chosen, strict=True) if shot == (self.part == "train")]
        if not kept:
            raise DataError(
                f"Nothing is left of the split {self.inner.split!r}: each class has {self.shots} images and no more. "
                "Epochs and thresholds are chosen on the rest, so ask for fewer shots."
            )
        return kept, list(self.inner.classes)

    def targets(self, record: Record, size: tuple[int, int]) -> Targets:
        """Return the boxes of an image as the data set has them."""
        return self.inner.targets(record, size)

    def read_image(self, record: Record) -> Tensor:
        """Return the image (3, H, W) uint8 as the data set has it."""
        return self.inner.read_image(record)

    def sample(self, index: int) -> dict[str, Any]:
        """Return a sample; in training with ``true_boxes`` (N, 4) in pixels of the network input and no targets."""
        found = super().sample(index)
        if self.part == "rest":
            return found
        boxes = found["boxes"].to(torch.float32)
        return {**{key: found[key] for key in ("inputs", "labels", "image_ids")}, "true_boxes": boxes}
