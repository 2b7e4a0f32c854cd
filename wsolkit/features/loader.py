"""Data loaders whose batches have cached features in the place of the images."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.dist import barrier, is_main_process
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from wsolkit.datasets.images import ImageDataset
from wsolkit.errors import ConfigError, in_range
from wsolkit.features.cached import CachedFeatures
from wsolkit.features.compute import compute_features, features_key, kept_features
from wsolkit.features.dataset import CachedDataset, image_files_of, photographs_of, split_pipeline
from wsolkit.features.time_spent import tell_of_features
from wsolkit.model.localizer import Localizer
from wsolkit.progress import hidden, progress_bar, watched

__all__ = ["CacheOptions", "Cached", "Source", "cached_loader", "source_of"]


@dataclass(frozen=True)
class CacheOptions:
    """The entry ``feature_cache`` of a configuration.

    Attributes:
        folder: where features are kept; None for ``features`` in the work folder. With ``level`` or ``evaluate`` in a
            folder inside for each frozen part, geometry and number format.
        shared: such a folder for several trainings, with folders inside in any case: features of another part or
            geometry are never replaced.
        most_gb: gigabytes that are kept at most; the features of other images are computed again and again.
        level: the level up to which the backbone is at rest; what comes after it is run each time. None for all of it.
        evaluate: read the images of the validation and of ``wsolkit test`` from features too, for the latter where
            ``folder`` or ``shared`` is given.
    """

    folder: Path | None = None
    most_gb: float = 4.0
    level: str | None = None
    evaluate: bool = False
    shared: Path | None = None

    @classmethod
    def of(cls, given: Any) -> CacheOptions | None:
        """Return what a configuration asks for, or None.

        Raises:
            ConfigError: the entry is no mapping, or an option is of another kind.
        """
        if given is None or given is False:
            return None
        if not isinstance(given, Mapping):
            raise ConfigError(
                f"feature_cache is written as dict(folder=..., most_gb=4.0), but got {given!r}. Write it so."
            )
        level, evaluate = given.get("level"), given.get("evaluate", False)
        for key in ("folder", "shared"):
            if not isinstance(given.get(key), str | Path | None):
                raise ConfigError(f"feature_cache.{key} is the path of a folder, but got {given[key]!r}.")
        folder, shared = (None if given.get(key) is None else Path(given[key]) for key in ("folder", "shared"))
        most_gb = given.get("most_gb", 4.0)
        if isinstance(most_gb, bool):
            raise ConfigError(f"feature_cache.most_gb is a number of gigabytes, but got {most_gb!r}.")
        in_range("feature_cache.most_gb", most_gb, "at least 0")
        if not isinstance(level, str | None) or level == "":
            raise ConfigError(f"feature_cache.level is the name of a level of the backbone, but got {level!r}.")
        if not isinstance(evaluate, bool):
            raise ConfigError(f"feature_cache.evaluate is True or False, but got {evaluate!r}.")
        if folder is not None and shared is not None:
            raise ConfigError(f"Set either feature_cache.folder={str(folder)!r} or shared={str(shared)!r}, not both.")
        return cls(folder, most_gb, level, evaluate, shared)

    def folder_for(self, source: Source, model: Localizer, mirror: bool, default: Path) -> Path:
        """Return where the features of a data set are kept."""
        folder = self.shared or self.folder or default
        if self.shared is None and self.level is None and not self.evaluate:
            return folder
        return folder / features_key(model, source.transform, source.size, mirror, self.level)


class Source(NamedTuple):
    """A data set of photographs, its pipeline without the mirroring, the size (H, W) of images, and the mirroring."""

    dataset: ImageDataset
    transform: v2.Transform
    size: tuple[int, int]
    flip: v2.RandomHorizontalFlip | None


class Cached(NamedTuple):
    """A loader of cached features, how many images have theirs on disk, and how long one took, in seconds, or None."""

    loader: DataLoader
    kept: int
    images: int
    seconds_each: float | None
    folder: Path


def source_of(dataset: Any) -> Source:
    """Return a data set as its features are computed.

    Raises:
        ConfigError: it is none of image files, or its pipeline does more than a resize and a mirroring.
    """
    photographs = photographs_of(dataset)
    return Source(photographs, *split_pipeline(photographs))


def loader_for_evaluation(options: CacheOptions, model: Localizer, loader: DataLoader, default: Path) -> Cached:
    """Return a loader for an evaluation, see ``cached_loader``; with the mirror images where the CAM method sees them.

    Raises:
        ConfigError: the data is none of image files, or see ``cached_loader``.
    """
    mirror = bool(getattr(model.cam_method, "flip", False))
    return cached_loader(options, model, loader, source_of(loader.dataset), default, mirror)


def cached_loader(
    options: CacheOptions, model: Localizer, loader: DataLoader, source: Source, default: Path, mirror: bool = False
) -> Cached:
    """Return a loader of the same batches with features in the place of images; missing ones are computed before.

    Args:
        options: what the configuration asks for.
        model: the model, see ``checked_model``.
        loader: the loader of images.
        source: its data set.
        default: where features are kept where the options name no folder.
        mirror: whether features of the mirror images are asked for though the data set does not mirror.

    Raises:
        ConfigError: the folder is a stranger's or in use, or features are too large for half precision.
        DataError: an image cannot be read, and the data set asks for all.
    """
    dataset, transform, size, flip = source
    images = image_files_of(dataset)
    mirror = mirror or flip is not None
    folder = options.folder_for(source, model, mirror, default)
    computed: CachedFeatures | None = None
    seconds: float | None = None
    done: list[int] = []
    if is_main_process():
        began = time.perf_counter()
        with (progress_bar if watched() else hidden)("features", len(images)) as advance:
            computed = compute_features(
                model, images, folder, transform, size,
                mirror=mirror, most_gb=options.most_gb, level=options.level, advance=advance, computed=done.append,
            )  # fmt: skip
        spent = time.perf_counter() - began
        tell_of_features(spent)
        seconds = spent / sum(done) / (1 + mirror) if sum(done) else None
    barrier()
    if computed is None:
        computed = kept_features(model, images, folder, transform, size, options.level)
    cached = CachedDataset(dataset, computed, flip)
    cached.check_corrupt()
    found = DataLoader(cached, batch_sampler=loader.batch_sampler, collate_fn=same)
    return Cached(found, computed.kept, len(images), seconds, folder)


def same(batch: Any) -> Any:
    """Return a batch that is one already."""
    return batch
