"""Processes that read images hand them over in shared memory, of which a container has 64 MB unless it is told."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, Dataset

__all__ = ["fit_workers", "with_room", "workers_that_fit"]

SHARED = Path("/dev/shm")
PLENTY = 4 << 30
"""With so many bytes free nobody counts."""


def fit_workers(loader: DataLoader) -> str | None:
    """Take as many of a data loader's processes as shared memory has room for; none reads in this process.

    What is read does not depend on their number.

    Returns:
        What to tell the user, or None where there is room.
    """
    if loader.num_workers == 0 or not len(loader):
        return None
    many = getattr(loader.batch_sampler, "batch_size", None)  # the loader's own is None beside a sampler of batches
    ahead = loader.prefetch_factor or 2
    loader.num_workers, told = with_room(loader.num_workers, loader.dataset, 0, many or loader.batch_size or 1, ahead)
    return told


def with_room(wanted: int, images: Dataset, index: int, many: int, ahead: int) -> tuple[int, str | None]:
    """Return how many of the wanted processes may read, and what to tell the user where it is not all of them.

    Without room a process dies of a bus error, or all wait for ever.

    Args:
        wanted: processes that are to read.
        images: what they read.
        index: an image of it, which is read to know its size; only where shared memory is small.
        many: images in a batch.
        ahead: batches that each process reads ahead.
    """
    if wanted == 0 or not SHARED.is_dir():
        return wanted, None
    free = shutil.disk_usage(SHARED).free
    if free >= PLENTY:
        return wanted, None
    batch = bytes_of(images[index]) * many
    workers = workers_that_fit(wanted, batch, ahead, free)
    if workers == wanted:
        return wanted, None
    needed = batch * (ahead * wanted + 1) / 2**20
    return workers, (
        f"{workers or 'No'} of {wanted} processes read images (num_workers): {SHARED} has {free / 2**20:.0f} MB free, "
        f"and batches of {batch / 2**20:.1f} MB need about {needed:.0f} MB. Give a container more, as in docker run "
        "--shm-size=8g."
    )


def workers_that_fit(wanted: int, batch: int, ahead: int, free: int) -> int:
    """Return how many processes have room for the batches that each reads ahead, and one that is in use.

    >>> workers_that_fit(4, batch=20, ahead=2, free=200), workers_that_fit(4, batch=20, ahead=2, free=50)
    (4, 0)
    """
    return max(0, min(wanted, (free // max(batch, 1) - 1) // ahead))


def bytes_of(sample: Any) -> int:
    """Return how many bytes the tensors of a sample take.

    >>> import torch
    >>> bytes_of({"a": torch.zeros(3, dtype=torch.uint8), "b": [torch.zeros(2)], "c": "text"})
    11
    """
    if isinstance(sample, Tensor):
        return sample.numel() * sample.element_size()
    if isinstance(sample, Mapping):
        return sum(map(bytes_of, sample.values()))
    if is_dataclass(sample):
        return sum(bytes_of(getattr(sample, field.name)) for field in fields(sample))
    return sum(map(bytes_of, sample)) if isinstance(sample, (list, tuple)) else 0
