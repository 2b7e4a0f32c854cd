"""The score maps of a split as files, one for each image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from wsolkit.formats.score_maps import (
    CLASS_AGNOSTIC,
    ImageMaps,
    image_maps_file,
    write_image_maps,
    write_map_classes,
)
from wsolkit.model.classes import Which, named_choice
from wsolkit.model.localizer import Localizer
from wsolkit.model.scored_batch import score_batch
from wsolkit.pipeline.model_stage import ModelStage
from wsolkit.pipeline.splits import build_split, check_split, input_size, split_batches
from wsolkit.progress import progress_bar
from wsolkit.threads import in_order

__all__ = ["Maps", "maps_of_batch"]

WRITERS = 2


class Maps(ModelStage):
    """Writes the score maps of a split's images, one file ``maps/IMAGE ID.npz`` for each (``open_score_maps``).

    Images are prepared as for the evaluation, whatever split it is, and have to show the whole image. A class-agnostic
    head gives one map of class -1. One that was cut off goes on with the images that have no file.

    Args:
        config: name or path of the model's configuration, such as ``{train}/config.py``.
        checkpoint: file that training wrote, such as ``{train}/best.pth``; none for a model in which nothing is
            trained.
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
        checkpoint: str | None = None,
        split: str = "train",
        options: Mapping[str, Any] | None = None,
        which: Which = "labels",
        batch_size: Annotated[int, "at least 1"] | None = None,
        num_workers: Annotated[int, "at least 0"] = 0,
        device: str | None = None,
    ) -> None:
        super().__init__(config, checkpoint, options, device)
        self.split = split
        self.which = which
        self.batch_size = batch_size
        self.num_workers = num_workers

    def declares(self) -> Mapping[str, Any]:
        """Return the resolved configuration, where no earlier stage writes it.

        Raises:
            ConfigError: it has no such split, or its evaluation does not show the whole image.
        """
        config = self.configuration()
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
        loaded.model.head.end_pass()
        write_map_classes(folder, dataset.classes)
        return {"images": len(ids)}


def named_maps(model: Localizer, batch: Mapping[str, Any], which: Which) -> Iterator[tuple[str, ImageMaps]]:
    """Yield the name and the maps of each image of a batch."""
    yield from zip(batch["image_ids"], maps_of_batch(model, batch, which), strict=True)


def maps_of_batch(model: Localizer, batch: Mapping[str, Any], which: Which = "labels") -> list[ImageMaps]:
    """Return the score maps of each image of a batch, at the size of the network input.

    Args:
        model: a localizer in eval mode.
        batch: ``inputs`` (B, 3, H, W) uint8, ``labels`` (B,) or (B, K), ``image_ids`` and ``sizes``, as
            ``split_batches`` gives them.
        which: ``labels``, ``predicted`` or ``all``; see ``MapsStage``.

    Raises:
        ConfigError: the model does not classify, so that it cannot say which classes it predicts.
        MapError: logits or a map hold NaN or infinity; names the image.
        WsolkitError: the device has no memory for so many images.
    """
    names, labels = batch["image_ids"], batch["labels"]
    scored = score_batch(model, batch["inputs"], names, lambda seen: named_choice(which, seen, labels))
    height, width = scored.images.shape[-2:]
    parts = [np.zeros((len(scored.images), 0, height, width), np.float16)]
    parts += [found.half().cpu().numpy() for _, found in scored.maps()]
    maps = np.concatenate(parts, 1)  # (B, T, H, W)
    agnostic = scored.activation.class_agnostic
    classes = [[CLASS_AGNOSTIC]] * len(maps) if agnostic else scored.classes.tolist()
    return [
        ImageMaps(dict(zip(classes[row][:count], maps[row], strict=False)), tuple(batch["sizes"][row]))
        for row, count in enumerate(scored.counts)
    ]
