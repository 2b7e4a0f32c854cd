"""The data a saliency network trains on: the images of a data set, and the cues a stage wrote for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from wsolkit import DATASETS, ConfigError, DataError, Targets, path_below
from wsolkit.datasets import ImageDataset, Record
from wsolkit.evaluation import fit_mask
from wsolkit.formats import read_gray
from wsolkit_wsss.background_cues import CUES

__all__ = ["SaliencyCues"]


class SaliencyCues(ImageDataset):
    """Images of another data set with the cues of a ``BackgroundCues`` stage as ``masks``.

    A sample has ``inputs`` (3, H, W) uint8 and ``masks`` (H, W) uint8, 255 foreground and 0 background, cropped and
    flipped alike. The masks of the other data set are never read: it may not be set to load them.

    Args:
        cues: folder of the ``BackgroundCues`` stage that wrote them for these images.
        dataset: configuration of the data set the images come from.
        pipeline: torchvision v2 transforms that image and cue go through together.
        on_corrupt: ``error`` or ``skip``, see ``ImageDataset``.
        seed: seed of everything random about the samples.
        test_mode: see ``ImageDataset``.
        indices: use only the first so many images, or the given ones.

    Raises:
        ConfigError: the data set is none of wsolkit's, or is set to read true masks.
        DataError: an image has no cue.
    """

    def __init__(
        self,
        cues: str,
        dataset: Mapping[str, Any] | ImageDataset,
        pipeline: Any = (),
        on_corrupt: Literal["error", "skip"] = "error",
        seed: int = 0,
        test_mode: bool = False,
        indices: Any = None,
    ) -> None:
        inner = DATASETS.build(dataset)
        if not isinstance(inner, ImageDataset):
            raise ConfigError(f"SaliencyCues needs an ImageDataset, but got a {type(inner).__name__}.")
        if inner.load_targets:
            raise ConfigError(
                "The data set inside SaliencyCues has load_targets=True: a saliency network would train beside true "
                "masks. Leave load_targets out."
            )
        self.inner = inner
        self.cues = Path(cues)
        self.multi_label = inner.multi_label
        super().__init__(
            split=inner.split,
            pipeline=pipeline,
            load_targets=True,
            transform_targets=True,
            on_corrupt=on_corrupt,
            seed=seed,
            test_mode=test_mode,
            indices=indices,
        )

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the images of the other data set, all of which have a cue."""
        records = [self.inner.record(index) for index in range(len(self.inner))]
        missing = [each["image_id"] for each in records if not self.cue_file(each).is_file()]
        if missing:
            raise DataError(
                f"{len(missing)} of {len(records)} images have no cue in {self.cues / CUES}, such as {missing[0]!r}. "
                f"Run BackgroundCues on split {self.inner.split!r} and give its folder as cues=..., for instance with "
                "train_dataloader.dataset.cues=FOLDER."
            )
        return records, list(self.inner.classes)

    def cue_file(self, record: Record) -> Path:
        """Return the file of an image's cue."""
        return path_below(self.cues / CUES, record["image_id"], ".png")

    def read_image(self, record: Record) -> torch.Tensor:
        """Return the image as (3, H, W) uint8, as the other data set reads it."""
        return self.inner.read_image(record)

    def read_mask(self, record: Record) -> np.ndarray:
        """Return the cue (H, W) uint8: 255 foreground, 0 background."""
        return read_gray(self.cue_file(record), "The cue")

    def targets(self, record: Record, size: tuple[int, int]) -> Targets:
        """Return the cue, and no box.

        Raises:
            DataError: the cue belongs to an image lying on its side.
        """
        return Targets(
            size=size,
            boxes=np.zeros((0, 4), np.float32),
            box_labels=np.zeros(0, np.int64),
            difficult=np.zeros(0, bool),
            mask=fit_mask(self.read_mask(record), size),
        )

    def sample(self, index: int) -> dict[str, Any]:
        """Read one image and its cue and run the pipeline on both.

        Raises:
            DataError: one of them cannot be read.
        """
        found = super().sample(index)
        return {key: found[key] for key in ("inputs", "labels", "image_ids", "masks")}
