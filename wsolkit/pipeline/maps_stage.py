"""The score maps of a split as files, one for each image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsolkit.errors import ConfigError, MapError, WsolkitError
from wsolkit.formats.score_maps import CLASS_AGNOSTIC, ImageMaps, image_maps_file, write_image_maps
from wsolkit.interfaces import Activation
from wsolkit.model.localizer import Localizer
from wsolkit.pipeline.configurations import declared_configuration
from wsolkit.pipeline.model_stage import ModelStage
from wsolkit.pipeline.splits import build_split, check_split, input_size, split_batches
from wsolkit.progress import progress_bar
from wsolkit.threads import in_order

__all__ = ["Maps", "asked_classes", "maps_of_batch"]

LABELS, ALL, PREDICTED = "labels", "all", "predicted"
WHICH = (LABELS, ALL, PREDICTED)
MAPS_AT_ONCE = 256
"""How many score maps are made at a time, at most, where images have many classes."""

WRITERS = 2


class Maps(ModelStage):
    """Writes the score maps of a split's images, one file ``maps/IMAGE ID.npz`` for each (``open_score_maps``).

    Images are prepared as for the evaluation, whatever split it is, and have to show the whole image. A class-agnostic
    head gives one map of class -1. One that was cut off goes on with the images that have no file.

    Args:
        config: name or path of the model's configuration, such as ``{train}/config.py``.
        checkpoint: file that training wrote, such as ``{train}/best.pth``.
        split: ``train``, ``val`` or ``test``: whose images.
        options: entries of the configuration to change, by dotted name.
        which: maps of the classes an image is labelled with (``labels``), of those the model predicts (``predicted``:
            the likeliest, in multi-label data every class likelier than not and at least one), or of ``all``.
        batch_size: images at once; by default as the configuration's test_dataloader.
        num_workers: processes that read images; 0 reads in this one.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str,
        split: str = "train",
        options: Mapping[str, Any] | None = None,
        which: str = LABELS,
        batch_size: int | None = None,
        num_workers: int = 0,
        device: str | None = None,
    ) -> None:
        super().__init__(config, checkpoint, options, device)
        if which not in WHICH:
            raise ConfigError(f"which should be one of {WHICH}, but got {which!r}.")
        if num_workers < 0 or (batch_size is not None and batch_size < 1):
            raise ConfigError(
                f"batch_size should be 1 or more and num_workers 0 or more, but got {batch_size} and {num_workers}."
            )
        self.split = split
        self.which = which
        self.batch_size = batch_size
        self.num_workers = num_workers

    def declares(self) -> Mapping[str, Any]:
        """Return the resolved configuration, where no earlier stage writes it.

        Raises:
            ConfigError: it has no such split, or its evaluation does not show the whole image.
        """
        config = declared_configuration(self.config, self.options)
        if config is None:
            return {}
        check_split(config, self.split)
        input_size(config)
        return {"configuration": config.to_dict()}

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Write the maps that are missing; returns how many images there are.

        Raises:
            DataError: an image cannot be read.
            MapError: the model's numbers are NaN or infinite.
        """
        loaded = self.load()
        dataset = build_split(loaded.config, self.split)
        ids = [dataset.record(index)["image_id"] for index in range(len(dataset))]
        left = [index for index, image_id in enumerate(ids) if not image_maps_file(folder, image_id).exists()]
        size = self.batch_size or int((loaded.config.get("test_dataloader") or {}).get("batch_size", 32))
        with progress_bar(f"maps of {self.split}", len(left)) as advance:
            batches = split_batches(dataset, left, size, self.num_workers)
            found = (each for batch in batches for each in named_maps(loaded.model, batch, self.which))
            for _ in in_order(lambda each: write_image_maps(folder, *each), found, WRITERS):
                advance(1)
        return {"images": len(ids)}


def named_maps(model: Localizer, batch: Mapping[str, Any], which: str) -> Iterator[tuple[str, ImageMaps]]:
    """Yield the name and the maps of each image of a batch."""
    yield from zip(batch["image_ids"], maps_of_batch(model, batch, which), strict=True)


@torch.no_grad()
def maps_of_batch(model: Localizer, batch: Mapping[str, Any], which: str = LABELS) -> list[ImageMaps]:
    """Return the score maps of each image of a batch, at the size of the network input.

    Args:
        model: a localizer in eval mode.
        batch: ``inputs`` (B, 3, H, W) uint8, ``labels`` (B,) or (B, K), ``image_ids`` and ``sizes``, as
            ``split_batches`` gives them.
        which: ``labels``, ``predicted`` or ``all``; see ``Maps``.

    Raises:
        ConfigError: the model does not classify, so that it cannot say which classes it predicts.
        MapError: a map holds NaN or infinity; names the image.
    """
    images = model.data_preprocessor({"inputs": batch["inputs"]})["inputs"]
    try:
        activation = model.activate(images)
    except torch.OutOfMemoryError as error:
        raise WsolkitError(f"The device has no memory for {len(images)} images at once. Lower batch_size.") from error
    classes, counts = asked_classes(activation, batch["labels"], which)
    step = max(1, MAPS_AT_ONCE // len(images))
    parts: list[np.ndarray] = [np.zeros((len(images), 0, *images.shape[-2:]), np.float16)]
    for first in range(0, max(counts), step):
        some = classes[:, first : first + step].contiguous()
        try:
            maps = model.cam_method(model, images, some, activation)
        except MapError as error:
            raise MapError(f"Image {culprit(model, images, some, batch['image_ids'])!r}: {error}") from error
        parts.append(maps.half().cpu().numpy())
    maps = np.concatenate(parts, 1)  # (B, T, H, W)
    named = [[CLASS_AGNOSTIC]] * len(images) if activation.class_agnostic else classes.tolist()
    return [
        ImageMaps(dict(zip(named[row][:count], maps[row], strict=False)), tuple(batch["sizes"][row]))
        for row, count in enumerate(counts)
    ]


def asked_classes(activation: Activation, labels: Tensor, which: str) -> tuple[Tensor, list[int]]:
    """Return the classes (B, T) to make maps of, and how many of each row count; other rows are filled with class 0.

    Raises:
        ConfigError: the model does not classify, so that it cannot say which classes it predicts.
    """
    maps, logits = activation.maps, activation.logits
    device = maps.device
    if activation.class_agnostic:
        return torch.zeros(len(maps), 1, dtype=torch.long, device=device), [1] * len(maps)
    if which == ALL:
        return torch.arange(maps.shape[1], device=device).expand(len(maps), -1), [maps.shape[1]] * len(maps)
    if which == LABELS and labels.ndim == 1:
        return labels.to(device)[:, None], [1] * len(maps)
    if which == PREDICTED and logits is None:
        raise ConfigError("The model does not classify, so it predicts no classes. Take which='labels' or 'all'.")
    if logits is not None and which == PREDICTED:
        likeliest = logits.argmax(1, keepdim=True)
        if labels.ndim == 1:
            return likeliest, [1] * len(maps)
        chosen = (logits > 0).scatter(1, likeliest, True)
    else:
        chosen = labels.to(device) > 0.5
    counts = chosen.sum(1).tolist()
    order = torch.argsort(chosen.int(), dim=1, descending=True, stable=True)[:, : max(counts)]
    return order.masked_fill(~chosen.gather(1, order), 0), counts


def culprit(model: Localizer, images: Tensor, classes: Tensor, image_ids: Sequence[str]) -> str:
    """Return the first image whose maps cannot be made."""
    for row, image_id in enumerate(image_ids):
        try:
            model.cam_method(model, images[row : row + 1], classes[row : row + 1])
        except MapError:
            return image_id
    return image_ids[0]
