"""The class scores of a split's images and what the background is made from, image by image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from wsolkit import ConfigError, DataError, one_of, path_below
from wsolkit.datasets import ImageDataset
from wsolkit.formats import ScoreMaps, read_gray
from wsolkit_wsss.background_cues import CUES
from wsolkit_wsss.class_maps import class_scores, open_class_maps
from wsolkit_wsss.saliency_maps import SALIENCY
from wsolkit_wsss.split_data import image_of, split_data

__all__ = ["LabelledImages", "Labels", "Scored"]

Labels = Literal["image", "maps"]
FOLDERS = {"saliency": SALIENCY, "cues": CUES}


@dataclass
class Scored:
    """One image on its way to a pseudo mask.

    Attributes:
        image_id: its name.
        image: (H, W, 3) uint8, RGB.
        classes: T classes, rising.
        scores: (T, H, W) float32 in [0, 1].
        saliency: (H, W) uint8, or None where the background needs none.
    """

    image_id: str
    image: np.ndarray
    classes: list[int]
    scores: np.ndarray
    saliency: np.ndarray | None


@dataclass
class LabelledImages:
    """A split's images with their class scores and their saliency.

    Attributes:
        config: configuration whose images these are, by name or path.
        split: ``train``, ``val`` or ``test``.
        cams: folder of class maps of the split.
        background: where the background score comes from.
        saliency: folder of saliency maps or cues of the split; None where the background needs none.
        labels: ``image`` for the classes the image is labelled with, ``maps`` for all that have a map.
        options: entries of the configuration to change.
        targets: whether true masks can be read.

    Raises:
        ConfigError: ``labels`` is neither of the two, or the background lacks its folder.
    """

    config: str
    split: str
    cams: str
    background: str
    saliency: str | None = None
    labels: Labels = "image"
    options: Mapping[str, Any] = field(default_factory=dict)
    targets: bool = False

    def __post_init__(self) -> None:
        one_of("labels", self.labels, get_args(Labels))
        if self.background in FOLDERS and self.saliency is None:
            raise ConfigError(
                f"background={self.background!r} needs the folder of the stage that wrote the {self.background} of "
                f"split {self.split!r}. Give it, or take background='constant' for the seed alone."
            )

    def copy(self) -> LabelledImages:
        """Return the same with a data set of its own: one may keep the last image it read, which is not for threads."""
        found = replace(self)
        found.maps = self.maps
        return found

    @cached_property
    def dataset(self) -> ImageDataset:
        """The images on disk."""
        return split_data(self.config, self.split, self.options, targets=self.targets)

    @cached_property
    def maps(self) -> ScoreMaps:
        """The class maps on disk."""
        return open_class_maps(self.cams, self.dataset.classes)

    @property
    def image_ids(self) -> list[str]:
        """Names of the images, in order."""
        return [self.dataset.record(index)["image_id"] for index in range(len(self.dataset))]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Scored:
        """Read one image and all that belongs to it.

        Raises:
            DataError: something of it is missing, or the saliency has another size than the image.
        """
        record = self.dataset.record(index)
        name, image = record["image_id"], image_of(self.dataset, index)
        height, width = image.shape[:2]
        scores = class_scores(self.maps, name, record["labels"] if self.labels == "image" else None, (width, height))
        saliency = None
        if self.background in FOLDERS:
            path = path_below(Path(self.saliency or "") / FOLDERS[self.background], name, ".png")
            saliency = read_gray(path, f"The {self.background} of image {name!r},")
            if saliency.shape != (height, width):
                raise DataError(
                    f"{path} is {saliency.shape[1]}x{saliency.shape[0]} pixels, but its image {width}x{height}. It was "
                    "written for other images: run its stage again for this split."
                )
        stacked = np.array(list(scores.values()), np.float32).reshape(len(scores), height, width)
        return Scored(name, image, list(scores), stacked, saliency)

    def truth(self, index: int, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return the true class mask (H, W) of an image of that shape, or None where it has none."""
        record = self.dataset.record(index)
        return self.dataset.targets(record, (int(shape[1]), int(shape[0]))).mask
