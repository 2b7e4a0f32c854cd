"""A split of a configuration as data for a stage: images prepared as for the evaluation, with labels and sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config
from torch.utils.data import Dataset

from wsolkit.config.hand_down import inner_configs
from wsolkit.config.load_model import pipeline_of
from wsolkit.datasets.collate import collate_samples
from wsolkit.datasets.images import ImageDataset
from wsolkit.datasets.reading import prepare_image, read_batches
from wsolkit.errors import ConfigError, DataError, nearest, one_of
from wsolkit.inference.geometry import build_pipeline
from wsolkit.registry import DATASETS
from wsolkit.scoring.from_model import check_classes

__all__ = ["SplitImages", "build_split", "check_split", "input_size", "split_batches"]

SPLITS = ("train", "val", "test")
PIPELINES = ("test", "own")


def build_split(config: Config, split: str, pipeline: str = "test", load_targets: bool = False) -> ImageDataset:
    """Build the data set of a split for a stage, in the order of its records; an unreadable image is an error.

    Args:
        config: a loaded configuration.
        split: ``train``, ``val`` or ``test``: whose dataloader's data set is meant.
        pipeline: ``test`` for the transforms of the evaluation, which show the whole image, ``own`` for the split's.
        load_targets: read boxes and masks; for evaluation only.

    Raises:
        ConfigError: there is no such split, its data set is none of wsolkit's, or the pipeline shows only a part of
            the image.
        DataError: the data is missing, or has other classes than the configuration.
    """
    one_of("pipeline", pipeline, PIPELINES)
    settings: dict[str, Any] = dict(check_split(config, split))
    settings |= {"load_targets": load_targets, "test_mode": True}
    if pipeline == "test":
        input_size(config)
        settings["pipeline"] = pipeline_of(config)[0]
    built = DATASETS.build({key: value for key, value in settings.items() if key != "on_corrupt"})
    if not isinstance(built, ImageDataset):
        raise ConfigError(
            f"The data set of split {split!r} is a {type(built).__name__}, which is no ImageDataset of wsolkit. Use "
            "one of `wsolkit list datasets`, or derive yours from wsolkit.datasets.images.ImageDataset."
        )
    check_classes(config, built, split)
    return built


def check_split(config: Mapping[str, Any], split: str) -> Mapping[str, Any]:
    """Return the configuration of a split's data set, without wrappers.

    Raises:
        ConfigError: the split is unknown or not configured, or joins several data sets.
    """
    if split not in SPLITS:
        raise ConfigError(f"There is no split {split!r}. {nearest(str(split), SPLITS)}")
    dataset = (config.get(f"{split}_dataloader") or {}).get("dataset")
    found = [each for each in inner_configs(dataset) if not each.get("dataset") and not each.get("datasets")]
    if not found:
        raise ConfigError(f"The configuration has no {split}_dataloader with a dataset. Name a split that it has.")
    if len(found) > 1:
        raise ConfigError(
            f"The {split}_dataloader joins {len(found)} data sets; a stage works on one. Run it once for each, with "
            f"options={{'{split}_dataloader.dataset': dict(...)}}."
        )
    return found[0]


def input_size(config: Mapping[str, Any]) -> tuple[int, int]:
    """Return (H, W) of the network input under the evaluation's transforms, which must show the whole image.

    Raises:
        ConfigError: they crop, pad, flip, are random, or give no fixed size.
    """
    return build_pipeline(pipeline_of(config)[0])[1]


class SplitImages(Dataset):
    """The images of a data set as samples that also say how large the original image is.

    A sample has ``inputs`` (3, H, W) uint8, ``labels``, ``image_ids`` and ``sizes``, (width, height); boxes and masks
    are not read.

    Args:
        dataset: what ``build_split`` returned.
    """

    def __init__(self, dataset: ImageDataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return one sample.

        Raises:
            DataError: the image cannot be read; names it.
        """
        record = self.dataset.record(index)
        try:
            image = self.dataset.read_image(record)
        except DataError as error:
            raise DataError(f"Image {record['image_id']!r} of split {self.dataset.split!r}: {error}") from None
        return {
            "inputs": prepare_image(image, self.dataset.transforms),
            "labels": self.dataset.label_tensor(record),
            "image_ids": record["image_id"],
            "sizes": (int(image.shape[-1]), int(image.shape[-2])),
        }


def split_batches(
    dataset: ImageDataset,
    indices: Sequence[int] | None = None,
    batch_size: int = 32,
    num_workers: int = 0,
) -> Iterator[dict[str, Any]]:
    """Yield batches of a data set's images in order: ``inputs`` (B, 3, H, W), ``labels``, ``image_ids``, ``sizes``.

    Args:
        dataset: what ``build_split`` returned.
        indices: the images wanted; all by default.
        batch_size: images in a batch.
        num_workers: processes that read; 0 reads in this one.

    Raises:
        ConfigError: a number is out of range.
        DataError: an image cannot be read; names it.
    """
    if batch_size < 1 or num_workers < 0:
        raise ConfigError(
            f"batch_size should be 1 or more and num_workers 0 or more, but got {batch_size} and {num_workers}."
        )
    wanted = range(len(dataset)) if indices is None else indices
    batches = [wanted[start : start + batch_size] for start in range(0, len(wanted), batch_size)]
    yield from read_batches(SplitImages(dataset), batches, collate_samples, num_workers)
