"""A data set of photographs with known features in the place of the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import Dataset
from torchvision.transforms import v2

from wsolkit.datasets.geometry import PROBES, try_pipeline
from wsolkit.datasets.image_files import ImageFile
from wsolkit.datasets.images import ImageDataset
from wsolkit.errors import ConfigError, DataError
from wsolkit.features.cached import CachedFeatures

__all__ = ["LEAVE", "CachedDataset", "image_files_of", "photographs_of", "split_pipeline"]

LEAVE = "Leave feature_cache out."


class CachedDataset(Dataset):
    """The batches of a data set with known features in the place of images.

    Args:
        dataset: the data set, which knows labels, seed and epoch.
        features: the features of its images.
        flip: the random step of its pipeline, or None.
    """

    def __init__(self, dataset: ImageDataset, features: CachedFeatures, flip: v2.RandomHorizontalFlip | None) -> None:
        self.dataset = dataset
        self.features = features
        self.flip = flip

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "dataset":
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Any]:
        """Return the samples as one batch: ``inputs``, ``labels``, ``image_ids`` and, where asked for, ``targets``."""
        mirrored = [self.is_mirrored(index) for index in indices]
        readable = [self.readable(index) for index in indices]
        while (known := self.features.try_known(readable, mirrored)) is None:
            self.check_corrupt()
            readable = [self.readable(index) for index in indices]
        records = [self.dataset.record(index) for index in readable]
        batch = {
            "inputs": known,
            "labels": torch.stack([self.dataset.label_tensor(record) for record in records]),
            "image_ids": [record["image_id"] for record in records],
        }
        if self.dataset.load_targets:
            sizes = [self.features.sizes[index] for index in readable]
            found = zip(records, sizes, strict=True)
            batch["targets"] = [self.dataset.targets(record, size) for record, size in found]
        return batch

    def check_corrupt(self) -> None:
        """Look whether an image cannot be read though the data set asks for all.

        Raises:
            DataError: so it is.
        """
        if self.features.failures and (self.dataset.test_mode or self.dataset.on_corrupt == "error"):
            raise DataError(next(iter(self.features.failures.values())))

    def is_mirrored(self, index: int) -> bool:
        """Whether the data set would have mirrored the image in this epoch."""
        if self.flip is None:
            return False
        marked = torch.tensor([[[0, 1]]], dtype=torch.uint8)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.dataset.seed_of(index))
            return bool(self.flip(marked)[0, 0, 0])

    def readable(self, index: int) -> int:
        """Return the number of an image, or of the next one that can be read."""
        for offset in range(len(self)):
            current = (index + offset) % len(self)
            if current not in self.features.failures:
                return current
            self.dataset.note_corrupt(current)
        raise DataError(f"None of the {len(self)} images of split {self.dataset.split!r} can be read.")


def photographs_of(dataset: Any) -> ImageDataset:
    """Return a data set of image files.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(dataset, ImageDataset):
        raise ConfigError(
            f"feature_cache keeps the features of the images of one data set, but the training reads "
            f"{type(dataset).__name__}. {LEAVE}"
        )
    if dataset.pseudo_maps is not None:
        raise ConfigError(f"feature_cache gives images without the pseudo_maps that the training data has. {LEAVE}")
    if not all(dataset.record(index)["image_path"] for index in range(len(dataset))):
        raise ConfigError(
            f"feature_cache keeps the features of image files, but {type(dataset).__name__} makes its images. {LEAVE}"
        )
    return dataset


def split_pipeline(
    dataset: ImageDataset,
) -> tuple[v2.Transform, tuple[int, int], v2.RandomHorizontalFlip | None]:
    """Return a pipeline without its mirroring, the size (H, W) it brings images to, and the mirroring or None.

    Raises:
        ConfigError: it does more than a resize and a mirroring, or something is random.
    """
    steps = [] if dataset.transforms is None else list(dataset.transforms.transforms)
    flips = [step for step in steps if type(step) is v2.RandomHorizontalFlip]
    rest = [step for step in steps if type(step) is not v2.RandomHorizontalFlip]
    name = f"the pipeline of {type(dataset).__name__}"
    advice = (
        "Cached features are those of the image as it is evaluated and of its mirror image. Use a pipeline of Resize "
        "and RandomHorizontalFlip alone, or leave feature_cache out."
    )
    random = [type(step).__name__ for step in rest if type(step).__name__.startswith("Random") or hasattr(step, "p")]
    if random or len(flips) > 1:
        raise ConfigError(f"feature_cache does not go with {(random or ['two mirrorings'])[0]} in {name}. {advice}")
    transform = v2.Compose(rest or [v2.Identity()])
    try:
        sizes = {try_pipeline(transform, probe) for probe in PROBES}
    except ConfigError as error:
        raise ConfigError(f"feature_cache does not go with {name}, which is random or moves boxes. {advice}") from error
    if len(sizes) != 1:
        raise ConfigError(f"feature_cache does not go with {name}, which leaves images at sizes of their own. {advice}")
    return transform, sizes.pop(), flips[0] if flips else None


def image_files_of(dataset: ImageDataset) -> list[ImageFile]:
    """Return the files of a data set's images, in its order."""
    records = (dataset.record(index) for index in range(len(dataset)))
    return [ImageFile(record["image_id"], record["image_path"]) for record in records]
