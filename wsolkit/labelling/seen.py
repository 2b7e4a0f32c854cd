"""The photographs as the network takes them: their features where its backbone never changes, else their pixels."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from wsolkit.datasets.loading import ImageBatch, load_batches
from wsolkit.errors import DataError
from wsolkit.features.cached import CachedFeatures
from wsolkit.features.compute import compute_features, count_missing
from wsolkit.formats.found_boxes import Failure
from wsolkit.inference.predictor import Predictor
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import FEATURES
from wsolkit.progress import Shows, hidden

__all__ = ["Seen", "seconds_each", "see", "waiting"]

PROBED = 8
"""Photographs that tell how long one takes."""


class Seen:
    """Batches of photographs and of their mirror images.

    Args:
        photographs: the photographs.
        predictor: knows how they are prepared.
        features: what the backbone makes of them, or None to run it each time.
    """

    def __init__(self, photographs: Photographs, predictor: Predictor, features: CachedFeatures | None) -> None:
        self.files = photographs.files
        self.predictor = predictor
        self.features = features

    def batches(self, indices: Sequence[int], mirrored: bool = False) -> Iterator[ImageBatch]:
        """Yield the photographs of these numbers, or their mirror images."""
        size = self.predictor.batch_size
        groups = [indices[begin : begin + size] for begin in range(0, len(indices), size)]
        if self.features is not None:
            for group in groups:
                yield self.known(self.features, group, mirrored)
            return
        for batch in load_batches(self.files, self.predictor.transform, self.predictor.input_size, groups):
            if mirrored:
                batch.inputs = batch.inputs.flip(-1)
            yield batch

    def known(self, features: CachedFeatures, group: Sequence[int], mirrored: bool) -> ImageBatch:
        """Return a batch of features; photographs that could not be read are its failures."""
        levels: Any  # stands for the pixels wherever a model is asked
        good, levels = features.readable(group, mirrored)
        bad = features.failures
        failures = [Failure(*self.files[index], bad[index]) for index in group if index in bad]
        if levels is None:
            return ImageBatch(torch.empty(0, 3, 0, 0), [], [], [], failures)
        names, paths = zip(*(self.files[index] for index in good), strict=True)
        sizes = [features.sizes[index] for index in good]
        return ImageBatch(levels, list(names), list(paths), sizes, failures)


def never_changes(predictor: Predictor) -> bool:
    """Whether the backbone of a model is at rest in training too, so that its features can be kept."""
    model = predictor.model
    modifiers = [*model.image_modifiers.children(), *model.feature_modifiers.children()]
    return not modifiers and not any(each.requires_grad for each in model.backbone.parameters())


def see(predictor: Predictor, photographs: Photographs, out: Path, most_gb: float = 4.0, shows: Shows = hidden) -> Seen:
    """Compute the features of the photographs and of their mirror images, as far as they are not kept already.

    Args:
        predictor: the model.
        photographs: the photographs.
        out: the folder of the labels; features lie in a folder inside.
        most_gb: gigabytes that are kept at most; others are computed whenever they are asked for.
        shows: gives a progress display for a task's name and number of images.
    """
    if not never_changes(predictor):
        return Seen(photographs, predictor, None)
    with shows("features", len(photographs.files)) as advance:
        features = compute_features(
            predictor.model, photographs.files, out / FEATURES, predictor.transform, predictor.input_size,
            mirror=True, most_gb=most_gb, advance=advance,
        )  # fmt: skip
    return Seen(photographs, predictor, features)


def waiting(predictor: Predictor, photographs: Photographs, out: Path) -> int:
    """Return how many photographs have no features of this model's backbone yet, as they are on disk now."""
    files = photographs.files
    if not never_changes(predictor):
        return len(files)
    return count_missing(predictor.model, files, out / FEATURES, predictor.transform, predictor.input_size)


def seconds_each(predictor: Predictor, photographs: Photographs) -> float:
    """Return how many seconds a photograph and its mirror image take, from a few of them.

    Raises:
        DataError: none of these can be read.
    """
    few = Seen(photographs, predictor, None)
    bad = {each.image_id for each in photographs.unreadable}
    readable = [index for index, image in enumerate(photographs.files) if image.image_id not in bad]
    chosen = readable[:: max(1, len(readable) // PROBED)][:PROBED]
    began, count = time.perf_counter(), 0
    for mirrored in (False, True):
        for batch in few.batches(chosen, mirrored):
            count += len(batch.image_ids)
            if batch.image_ids:
                with torch.no_grad():
                    inputs = {"inputs": batch.inputs.to(predictor.device)}
                    predictor.model.levels_of(predictor.model.data_preprocessor(inputs)["inputs"])
    if not count:
        raise DataError(f"None of {len(chosen)} photographs can be read. Look at failed.csv, and convert them.")
    return 2 * (time.perf_counter() - began) / count
