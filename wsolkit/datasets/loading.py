"""Reads images: in worker processes while the model computes, or on all cores between two batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info
from torchvision.transforms import v2

from wsolkit.datasets.decode import read_shrunk
from wsolkit.datasets.image_files import ImageFile
from wsolkit.datasets.reading import prepare_image, read_batches, reduced
from wsolkit.errors import DataError
from wsolkit.formats.found_boxes import Failure
from wsolkit.threads import cores, in_order

__all__ = ["ImageBatch", "ImageFiles", "load_batches", "side_by_side"]

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class ImageBatch:
    """Images that are ready for the network, and those that could not be read.

    Attributes:
        inputs: (B, 3, H, W), as the pipeline leaves them, or their ``KnownLevels``; B may be 0.
        image_ids: B names.
        paths: B files, empty for images in memory.
        sizes: B (width, height) of the original images.
        failures: images that are missing from the batch.
        photos: B photographs (h, w, 3) uint8, RGB, reduced as far as it was asked for; empty where nobody asked.
    """

    inputs: Any
    image_ids: list[str]
    paths: list[str]
    sizes: list[tuple[int, int]]
    failures: list[Failure]
    photos: list[np.ndarray] = field(default_factory=list)


@dataclass
class Loaded:
    """One image that was read, or the reason why it was not."""

    image: ImageFile
    inputs: Tensor | None = None
    size: tuple[int, int] = (0, 0)
    reason: str = ""
    photo: np.ndarray | None = None


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return what ``work`` makes of each item, in order, on all cores: decoders and resizing let each other run.

    >>> side_by_side(abs, [1, -2])
    [1, 2]
    """
    threads = min(cores(), len(items))
    return list(in_order(work, items, threads if threads > 1 else 0))


class ImageFiles(Dataset):
    """Image files as network inputs; what cannot be read comes back with the reason instead of an error.

    Args:
        images: the files.
        transform: the test pipeline.
        size: (H, W) that it brings images to.
        photo_side: keep the photographs too, reduced to this longest side; None for none.
    """

    def __init__(
        self,
        images: Sequence[ImageFile],
        transform: v2.Transform,
        size: tuple[int, int],
        photo_side: int | None = None,
    ) -> None:
        self.images = images
        self.transform = transform
        self.size = size
        self.photo_side = photo_side

    def __len__(self) -> int:
        return len(self.images)

    def __getitems__(self, indices: Sequence[int]) -> list[Loaded]:
        """Read the images of a batch: side by side on all cores, unless this is one of several reading processes."""
        if get_worker_info() is not None:
            return [self[index] for index in indices]
        return side_by_side(self.__getitem__, indices)

    def __getitem__(self, index: int) -> Loaded:
        """Read one image and run the pipeline on it."""
        image = self.images[index]
        try:
            pixels, whole = read_shrunk(image.path, self.size)
            photo = None if self.photo_side is None else reduced(pixels, self.photo_side)
            return Loaded(image, prepare_image(pixels, self.transform).contiguous(), whole, photo=photo)
        except (DataError, RuntimeError, ValueError, MemoryError) as error:
            return Loaded(image, reason=str(error) or type(error).__name__)


def collate(loaded: Sequence[Loaded]) -> ImageBatch:
    """Put the images that were read into one batch, and set the others aside."""
    good = [each for each in loaded if each.inputs is not None]
    inputs = [each.inputs for each in good if each.inputs is not None]
    return ImageBatch(
        inputs=torch.stack(inputs) if inputs else torch.empty(0, 3, 0, 0),
        image_ids=[each.image.image_id for each in good],
        paths=[each.image.path for each in good],
        sizes=[each.size for each in good],
        failures=[Failure(*each.image, each.reason) for each in loaded if each.inputs is None],
        photos=[each.photo for each in good if each.photo is not None],
    )


def load_batches(
    images: Sequence[ImageFile],
    transform: v2.Transform,
    size: tuple[int, int],
    batches: Iterable[Sequence[int]],
    num_workers: int = 0,
    pin_memory: bool = False,
    photo_side: int | None = None,
) -> Iterator[ImageBatch]:
    """Yield batches of images in order; at most two batches per worker are in memory at a time.

    Args:
        images: the files.
        transform: the test pipeline.
        size: (H, W) that it brings images to.
        batches: which images make up each batch, by index.
        num_workers: processes that read; 0 reads in this process, on all cores between two batches.
        pin_memory: keep batches where a GPU can fetch them from.
        photo_side: keep the photographs too, reduced to this longest side; None for none.

    Raises:
        DataError: a reading process died, for want of memory for instance.
    """
    files = ImageFiles(images, transform, size, photo_side)
    yield from read_batches(files, batches, collate, num_workers, pin_memory)
