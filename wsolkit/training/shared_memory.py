"""Processes that read images hand them over in shared memory, of which a container has 64 MB unless it is told."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader

__all__ = ["fit_workers", "workers_that_fit"]

SHARED = Path("/dev/shm")
PLENTY = 4 << 30
"""With so many bytes free nobody counts."""


def fit_workers(loader: DataLoader) -> str | None:
    """Take as many of a data loader's processes as shared memory has room for; none reads in this process.

    Without room a process dies of a bus error, or all wait for ever. What is read does not depend on their number.

    Returns:
        What to tell the user, or None where there is room.
    """
    if loader.num_workers == 0 or not SHARED.is_dir():
        return None
    free = shutil.disk_usage(SHARED).free
    if free >= PLENTY or not len(loader):
        return None
    many = getattr(loader.batch_sampler, "batch_size", None)  # the loader's own is None beside a sampler of batches
    batch = bytes_of(loader.dataset[0]) * (many or loader.batch_size or 1)
    wanted, ahead = loader.num_workers, loader.prefetch_factor or 2
    workers = workers_that_fit(wanted, batch, ahead, free)
    if workers == wanted:
        return None
    loader.num_workers = workers
    needed = batch * (ahead * wanted + 1) / 2**20
    return (
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
    return sum(map(bytes_of, sample)) if isinstance(sample, (list, tuple)) else 0
