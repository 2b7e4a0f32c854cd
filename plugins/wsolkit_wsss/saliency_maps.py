"""What a trained saliency network says of the images of a split, as 8-bit pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from wsolkit import ConfigError, choose_device, enough_memory, load_config, load_network, path_below
from wsolkit.datasets import ImageDataset, build_pipeline, prepare_image, read_batches
from wsolkit.formats import read_gray, write_gray
from wsolkit.pipeline import SplitStage, checked_options, declared_configuration, outside_files
from wsolkit.report import evenly, write_contact_sheet
from wsolkit_wsss.background_cues import resized
from wsolkit_wsss.image_jobs import shown
from wsolkit_wsss.mask_share import check_share
from wsolkit_wsss.saliency_network import SaliencyNetwork
from wsolkit_wsss.split_data import image_of, split_data

__all__ = ["SALIENCY", "SaliencyMaps"]

SALIENCY = "saliency"
"""Folder of the maps inside the stage's folder."""

ADVICE = "Look at sheet.jpg and at the cues that the network was trained with."


class SaliencyMaps(SplitStage):
    """Writes the saliency of a split's images: ``saliency/<image>.png``, 0 to 255, at the size of the original image.

    Images are resized to the ``size`` of the network, or left as they are where it has none.

    Args:
        config: configuration the saliency network was trained with, by name or path.
        checkpoint: what training wrote, such as ``{saliency}/last.pth``.
        data: configuration whose images these are, by name or path.
        split: ``train``, ``val`` or ``test`` of it.
        batch_size: images at a time; images of different sizes go one by one.
        workers: processes that read images.
        device: ``cpu``, ``cuda`` or the like; a GPU where there is one by default.
        sheet: images on the contact sheet.
        options: entries of the network's configuration to change, by dotted name.
        data_options: entries of the images' configuration to change, likewise.

    Raises:
        ConfigError: a number is out of range.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str,
        data: str,
        split: str = "test",
        batch_size: int = 16,
        workers: int = 0,
        device: str | None = None,
        sheet: int = 12,
        options: Mapping[str, Any] | None = None,
        data_options: Mapping[str, Any] | None = None,
    ) -> None:
        if batch_size < 1 or workers < 0:
            raise ConfigError(f"SaliencyMaps needs batch_size >= 1 and workers >= 0, but got {batch_size}, {workers}.")
        super().__init__(data, split, data_options)
        self.network, self.network_options = str(config), checked_options(options)
        self.checkpoint = str(checkpoint)
        if device is not None:
            choose_device(device)
        self.batch_size, self.workers, self.device, self.sheet = batch_size, workers, device, sheet

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Write the maps and return the number of images and their mean saliency in percent.

        Raises:
            ConfigError: the configuration is of another model.
            CheckpointError: the checkpoint cannot be read or is of another model.
        """
        dataset = split_data(self.config, self.split, self.options)
        files = [
            path_below(folder / SALIENCY, dataset.record(index)["image_id"], ".png") for index in range(len(dataset))
        ]
        todo = [index for index, path in enumerate(files) if not (resume and path.exists())]
        if todo:
            config = load_config(self.network, self.network_options)
            model = load_network(config, self.checkpoint, SaliencyNetwork, self.device)
            images = Unread(dataset, todo, model.size)
            places = range(len(todo))
            spans = [places[start : start + self.batch_size] for start in range(0, len(todo), self.batch_size)]
            batches = read_batches(images, spans, list, self.workers)
            done = (pair for batch in batches for pair in self.predicted(model, batch))
            for index, values in shown(done, "saliency", len(todo)):
                write_gray(files[index], values)
        maps = [read_gray(path, "The saliency map") for path in files]
        pictures = [
            pair
            for index in evenly(len(files), self.sheet)
            for pair in (("image", image_of(dataset, index)), ("saliency", maps[index]))
        ]
        write_contact_sheet(folder / "sheet.jpg", pictures, columns=2)
        shares = [float(found.mean() / 255) for found in maps]
        return {"images": len(files), "saliency in %": check_share(shares, "the answers of the network", ADVICE)}

    def inputs(self) -> list[Path]:
        """Return the checkpoint and the files the configurations name, where no earlier stage writes them."""
        network = declared_configuration(self.network, self.network_options)
        return [*super().inputs(), *outside_files(network, [self.checkpoint])]

    def declares(self) -> Mapping[str, Any]:
        """Return the resolved configurations, where no earlier stage writes them."""
        network = declared_configuration(self.network, self.network_options)
        return {**super().declares(), **({} if network is None else {"network": network.to_dict()})}

    @staticmethod
    def predicted(
        model: SaliencyNetwork, batch: Sequence[tuple[int, Tensor, tuple[int, int]]]
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the number and the saliency (H, W) uint8, at the size of the original, of each image of a batch."""
        shapes = {tuple(image.shape) for _, image, _ in batch}
        groups = [batch] if len(shapes) == 1 else [[one] for one in batch]
        for group in groups:
            stacked = {"inputs": torch.stack([image for _, image, _ in group])}
            with enough_memory(len(group)):
                found = model.saliency(model.data_preprocessor(stacked)["inputs"]).cpu().numpy()
            for (index, _, size), saliency in zip(group, found, strict=True):
                yield index, np.round(255 * resized(saliency, size)).astype(np.uint8)


class Unread(Dataset):
    """Some images of a data set by their numbers, resized to ``size`` = (height, width) unless that is None."""

    def __init__(self, dataset: ImageDataset, indices: Sequence[int], size: tuple[int, int] | None) -> None:
        self.dataset, self.indices = dataset, indices
        self.transforms = build_pipeline([] if size is None else [{"type": "Resize", "size": size, "antialias": True}])

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: int) -> tuple[int, Tensor, tuple[int, int]]:
        """Return an image's number in the data set, the image (3, H, W) uint8 and its original size."""
        index = self.indices[place]
        image = self.dataset.read_image(self.dataset.record(index))
        size = (int(image.shape[-1]), int(image.shape[-2]))
        return index, prepare_image(image, self.transforms).contiguous(), size
