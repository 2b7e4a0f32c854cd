"""Reads the images of a data set batch by batch, in worker processes or in this one, with errors in words."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from wsolkit.datasets.shared_memory import with_room
from wsolkit.errors import DataError, WsolkitError

__all__ = ["plain_worker_errors", "prepare_image", "read_batches", "reduced"]

AHEAD = 2
"""Batches that each process reads before they are asked for."""


def prepare_image(pixels: Tensor, transform: v2.Transform | None) -> Tensor:
    """Run the pipeline on an image (3, h, w) uint8 the way data sets do."""
    bundle = {"image": tv_tensors.Image(pixels)}
    prepared = bundle if transform is None else transform(bundle)
    return prepared["image"].as_subclass(Tensor)


def reduced(pixels: Tensor, side: int) -> np.ndarray:
    """Return an image (3, H, W) uint8 as (h, w, 3), reduced so that its longest side is at most ``side``.

    >>> import torch
    >>> reduced(torch.zeros(3, 300, 400, dtype=torch.uint8), 100).shape
    (75, 100, 3)
    """
    image = pixels.permute(1, 2, 0).numpy()
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return np.array(image)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def read_batches(
    images: Dataset,
    batches: Iterable[Sequence[int]],
    collate: Callable[[Sequence[Any]], Any],
    num_workers: int = 0,
    pin_memory: bool = False,
) -> Iterator[Any]:
    """Yield batches of images in order; at most two batches per worker are in memory at a time.

    Args:
        images: the images, read one by one or by ``__getitems__``.
        batches: which images make up each batch, by index.
        collate: makes a batch of what was read.
        num_workers: processes that read, or fewer where shared memory has no room; 0 reads in this one.
        pin_memory: keep batches where a GPU can fetch them from.

    Raises:
        DataError: a reading process died, for want of memory for instance.
        WsolkitError: what reading raised, in its own words.
    """
    if isinstance(batches, Sequence) and batches:
        many = max(map(len, batches))
        num_workers, told = with_room(num_workers, images, batches[0][0], many, AHEAD)
        if told is not None:
            warnings.warn(told, stacklevel=2)
    extra: dict[str, Any] = {"prefetch_factor": AHEAD} if num_workers else {}
    loader = DataLoader(
        images,
        batch_sampler=batches,  # type: ignore[arg-type]
        num_workers=num_workers,
        collate_fn=collate,
        pin_memory=pin_memory,
        **extra,
    )
    with plain_worker_errors():
        yield from loader


@contextmanager
def plain_worker_errors() -> Iterator[None]:
    """Turn our errors from reading processes, which arrive wrapped in a traceback, into their own words.

    Raises:
        DataError: a process died.
        WsolkitError: what it raised.
    """
    try:
        yield
    except WsolkitError as error:
        text = str(error)
        if "Original Traceback" not in text:
            raise
        name = type(error).__name__
        _, _, message = text.rpartition(f"{name}: ")
        raise type(error)(message.strip() or text) from None
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise DataError(
            f"A process that reads images died ({error}). Take fewer of them (num_workers) or a smaller batch, or "
            "give a container more shared memory, as in docker run --shm-size=8g."
        ) from error
