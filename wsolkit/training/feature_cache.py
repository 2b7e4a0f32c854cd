"""A training on features of a frozen backbone, computed once: ``feature_cache=dict(folder=..., most_gb=4.0)``.

Everything else stays: the runner, its hooks and loops, the sampler, the head, the losses and what is saved. A mirrored
image becomes the mirror image's features, drawn as the data set would have drawn it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from wsolkit.datasets.geometry import PROBES, try_pipeline
from wsolkit.datasets.image_files import ImageFile
from wsolkit.datasets.images import ImageDataset
from wsolkit.errors import ConfigError, DataError
from wsolkit.features.cached import CachedFeatures
from wsolkit.features.compute import compute_features, kept_features
from wsolkit.model.batch_transforms import check_pixels
from wsolkit.model.localizer import Localizer
from wsolkit.progress import hidden, progress_bar, watched
from wsolkit.training.runner import bare

__all__ = ["CachedDataset", "FeatureCache"]

LEAVE = "Leave feature_cache out."


class FeatureCache(Hook):
    """Puts the features of a frozen backbone in the place of the training images.

    They are computed when the training begins, with the weights it begins with; see
    ``wsolkit.features.compute.compute_features``.

    Args:
        runner: a runner that was built.
        folder: where features are kept; ``features`` in the work folder by default.
        most_gb: gigabytes that are kept at most; the features of other images are computed again and again.

    Raises:
        ConfigError: the backbone is trained, something changes images or its features at random, or the images are made
            and not read.
    """

    priority = "VERY_HIGH"

    def __init__(self, runner: Runner, folder: str | Path | None = None, most_gb: float = 4.0) -> None:
        self.folder = Path(folder or Path(runner.work_dir) / "features")
        self.most_gb = most_gb
        self.dataset = photographs_of(runner.train_loop.dataloader.dataset)
        self.transform, self.size, self.flip = split_pipeline(self.dataset)
        self.model = checked_model(bare(runner.model))

    def before_train(self, runner: Runner) -> None:
        """Compute what is missing, and read batches from the features."""
        dataset = self.dataset
        paths = [dataset.record(index) for index in range(len(dataset))]
        images = [ImageFile(record["image_id"], record["image_path"]) for record in paths]
        failures: dict[int, str] = {}
        if is_main_process():
            with (progress_bar if watched() else hidden)("features", len(images)) as advance:
                failures = compute_features(
                    self.model, images, self.folder, self.transform, self.size,
                    mirror=self.flip is not None, most_gb=self.most_gb, advance=advance,
                ).failures  # fmt: skip
        barrier()
        features = kept_features(self.model, images, self.folder, self.transform, self.size)
        features.failures |= failures
        cached = CachedDataset(dataset, features, self.flip)
        cached.check_corrupt()
        runner.logger.info(f"{features.kept} of {len(images)} training images have their features in {self.folder}.")
        loader = runner.train_loop.dataloader
        runner.train_loop.dataloader = DataLoader(cached, batch_sampler=loader.batch_sampler, collate_fn=same)


def same(batch: Any) -> Any:
    """Return a batch that is one already."""
    return batch


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
        """Return the samples as one batch: ``inputs``, ``labels`` and ``image_ids``."""
        mirrored = [self.is_mirrored(index) for index in indices]
        readable = [self.readable(index) for index in indices]
        while (known := self.features.try_known(readable, mirrored)) is None:
            self.check_corrupt()
            readable = [self.readable(index) for index in indices]
        return {
            "inputs": known,
            "labels": torch.stack([self.dataset.label_tensor(self.dataset.record(index)) for index in readable]),
            "image_ids": [self.dataset.record(index)["image_id"] for index in readable],
        }

    def check_corrupt(self) -> None:
        """Look whether an image cannot be read though the data set asks for all.

        Raises:
            DataError: so it is.
        """
        if self.features.failures and self.dataset.on_corrupt == "error":
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


def checked_model(model: Any) -> Localizer:
    """Return a model whose backbone gives the same features all the time.

    Raises:
        ConfigError: it does not.
    """
    if not isinstance(model, Localizer):
        raise ConfigError(f"feature_cache goes with a Localizer, but the model is a {type(model).__name__}. {LEAVE}")
    for place, modifiers in (("the images", model.image_modifiers), ("the backbone", model.feature_modifiers)):
        for modifier in modifiers.children():
            raise ConfigError(
                f"feature_cache keeps the features as they are without {type(modifier).__name__}, which sits on "
                f"{place}. Put it at 'maps', or leave feature_cache out."
            )
    check_pixels(model.batch_transforms)
    training = model.training
    model.train()
    rests = not any(each.training for child in model.backbone.children() for each in child.modules())
    model.train(training)
    trained = [name for name, each in model.backbone.named_parameters() if each.requires_grad]
    if trained or not rests:
        raise ConfigError(
            f"feature_cache keeps features that never change, but the backbone is trained"
            f"{f' ({trained[0]} and others)' if trained else ''}. Freeze all of it with model.freeze=['model'], or "
            "leave feature_cache out."
        )
    return model


def from_config(runner: Runner, given: Any) -> FeatureCache | None:
    """Return the hook that a configuration asks for, or None.

    Raises:
        ConfigError: the entry is no mapping.
    """
    if given is None or given is False:
        return None
    if not isinstance(given, Mapping):
        raise ConfigError(f"feature_cache is written as dict(folder=..., most_gb=4.0), but got {given!r}. Write it so.")
    return FeatureCache(runner, **given)
