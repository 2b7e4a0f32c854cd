"""DDT as a stage: the maps of a split, class by class, from a pretrained backbone and without any training."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import (
    BACKBONES,
    MODELS,
    Backbone,
    ConfigError,
    Stage,
    choose_device,
    enough_memory,
    load_config,
    load_model,
    progress_bar,
)
from wsolkit.components import choose_level
from wsolkit.datasets import ImageDataset
from wsolkit.formats import ImageMaps, image_maps_file, open_score_maps, write_image_maps, write_map_classes
from wsolkit.pipeline import (
    build_split,
    check_split,
    checked_options,
    declared_configuration,
    input_size,
    outside_files,
    split_batches,
)
from wsolkit_psol.ddt import Moments, Sign, principal_direction, projection

__all__ = ["DDTMaps", "positive_maps"]


class DDTMaps(Stage):
    """Writes DDT's map of every image of a split, ``maps/IMAGE ID.npz``, from a pretrained backbone.

    The images of a class are read twice: for mean and covariance of their descriptors, and for the projections. A map
    is the projection where it is positive, divided by its maximum. ``PseudoBoxes`` with ``threshold=0`` makes DDT's
    boxes of them: around the largest component of what is positive, the whole image where nothing is.

    Images are prepared as for the evaluation, which has to show all of them; the paper takes 448 x 448 pixels:
    ``options={"test_dataloader.dataset.pipeline": [dict(type="Resize", size=(448, 448))]}``. One that was cut off goes
    on with the classes that are not done.

    Args:
        config: name or path of a configuration with the data and the backbone.
        checkpoint: a trained model of that configuration; by default the backbone keeps its pretrained weights.
        split: ``train``, ``val`` or ``test``: whose images.
        level: name of the backbone's level; the deepest by default.
        sign: how the sign of the principal component is settled: ``activation``, ``border`` or ``largest``.
        resize: ``bilinear`` or ``nearest`` (the paper) to the network input, ``none`` to write cells.
        batch_size: images at once.
        num_workers: processes that read images.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.
        options: entries of the configuration to change, by dotted name.

    Raises:
        ConfigError: a choice is unknown, or a number is out of range.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str | None = None,
        split: str = "train",
        level: str | None = None,
        sign: Sign = "activation",
        resize: Literal["none", "nearest", "bilinear"] = "bilinear",
        batch_size: Annotated[int, "at least 1"] = 16,
        num_workers: Annotated[int, "at least 0"] = 0,
        device: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if device is not None:
            choose_device(device)
        self.config, self.checkpoint = str(config), checkpoint
        self.split, self.level, self.sign, self.resize = split, level, sign, resize
        self.batch_size, self.num_workers, self.device = batch_size, num_workers, device
        self.options = checked_options(options)

    def inputs(self) -> list[Path]:
        """Return the checkpoint and the files the configuration names, where no earlier stage writes them."""
        given = [self.checkpoint] if self.checkpoint else []
        return outside_files(declared_configuration(self.config, self.options), given)

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
        """Write the maps; returns how many, and how many of them are empty.

        Raises:
            ConfigError: images may have several labels, or the configuration has no backbone.
            DataError: an image cannot be read, or features are NaN.
        """
        config = load_config(self.config, self.options)
        dataset = build_split(config, self.split)
        if dataset.multi_label:
            raise ConfigError("DDT goes class by class, but the images of the data may show several classes.")
        backbone, preprocess = self.network(config)
        level = choose_level(backbone.channels, self.level)
        classes = images_by_class(dataset)
        with progress_bar("DDT maps", len(dataset)) as advance:
            for label, indices in sorted(classes.items()):
                names = [dataset.record(index)["image_id"] for index in indices]
                if not (resume and all(image_maps_file(folder, name).exists() for name in names)):
                    batches = partial(self.features, dataset, indices, backbone, preprocess, level)
                    write_class(folder, label, batches, self.sign, self.resize)
                advance(len(indices))
        write_map_classes(folder, dataset.classes)
        maps = open_score_maps(folder)
        empty = sum(
            not maps.image(dataset.record(index)["image_id"]).of(label).any()
            for label, indices in classes.items()
            for index in indices
        )
        return {"images": len(dataset), "classes": len(classes), "empty maps": empty}

    def network(self, config: Any) -> tuple[Backbone, Any]:
        """Return the backbone and what prepares its images, both in eval mode on the device."""
        if self.checkpoint is not None:
            model = load_model(config, self.checkpoint, device=self.device).model
            return model.backbone, model.data_preprocessor
        settings = config.get("model") or {}
        if not isinstance(settings.get("backbone"), Mapping):
            raise ConfigError("DDT needs a backbone, but the configuration has no model.backbone. Add one.")
        if not (settings["backbone"].get("weights") or settings["backbone"].get("pretrained")):
            warnings.warn(
                "The backbone has no pretrained weights, so DDT's maps mean nothing. Give a weight file with "
                "weights=PATH, or a checkpoint.",
                stacklevel=2,
            )
        device = choose_device(self.device)
        preprocess = MODELS.build(settings.get("data_preprocessor") or {"type": "ImagePreprocessor"})
        return BACKBONES.build(settings["backbone"]).eval().to(device), preprocess.to(device)

    @torch.no_grad()
    def features(
        self, dataset: ImageDataset, indices: Sequence[int], backbone: Backbone, preprocess: Any, level: str
    ) -> Iterator[tuple[dict[str, Any], Tensor]]:
        """Yield batches of some images, each with its features (B, C, h, w) float32."""
        for batch in split_batches(dataset, indices, self.batch_size, self.num_workers):
            images = preprocess({"inputs": batch["inputs"]})["inputs"]
            with enough_memory(len(images)):
                features = backbone(images)[level].float()
            yield batch, features


def write_class(
    folder: Path, label: int, batches: Callable[[], Iterator[tuple[dict[str, Any], Tensor]]], sign: Sign, resize: str
) -> None:
    """Write the maps of the images of one class.

    Args:
        folder: the stage's folder.
        label: the class.
        batches: gives the images of the class with their features, from the beginning at every call.
        sign: how the sign of the principal component is settled.
        resize: how cells become pixels.
    """
    moments = Moments()
    for _, features in batches():
        moments.update(features)
    direction = principal_direction(moments, sign)
    for batch, features in batches():
        size = None if resize == "none" else (int(batch["inputs"].shape[-2]), int(batch["inputs"].shape[-1]))
        maps = positive_maps(projection(features, moments.mean, direction), size, resize)
        for image_id, found, original in zip(batch["image_ids"], maps, batch["sizes"], strict=True):
            write_image_maps(folder, image_id, ImageMaps({label: found}, tuple(original)))


def images_by_class(dataset: ImageDataset) -> dict[int, list[int]]:
    """Return the numbers of the images of each class."""
    found: dict[int, list[int]] = defaultdict(list)
    for index in range(len(dataset)):
        found[dataset.record(index)["labels"][0]].append(index)
    return dict(found)


def positive_maps(projected: Tensor, size: tuple[int, int] | None = None, resize: str = "bilinear") -> np.ndarray:
    """Return maps in [0, 1] of projections (B, h, w): what is positive, divided by each one's maximum.

    Args:
        projected: projections of the cells.
        size: (H, W) to resize to; None to keep the cells.
        resize: ``bilinear`` or ``nearest``.

    >>> positive_maps(torch.tensor([[[-1.0, 2.0, 4.0]]])).tolist()
    [[[0.0, 0.5, 1.0]]]
    """
    if size is not None:
        extra = {"align_corners": False} if resize == "bilinear" else {}
        projected = F.interpolate(projected[:, None], size=size, mode=resize, **extra)[:, 0]
    positive = projected.clamp(min=0)
    peak = positive.amax((1, 2), keepdim=True)
    return (positive / peak.clamp(min=torch.finfo(torch.float32).tiny)).cpu().numpy()
