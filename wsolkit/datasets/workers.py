"""Processes that read data, and Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from typing import Any

from torch.utils.data import DataLoader

__all__ = ["ignore_interrupts"]


def ignore_interrupts(loader: DataLoader) -> None:
    """Let the processes of a data loader ignore Ctrl-C, which a terminal sends to them as well.

    A process that is interrupted while it holds a lock it shares with the one it reads for leaves that one waiting for
    ever. The latter ends its processes itself.

    Args:
        loader: one that has not been iterated yet.
    """
    loader.worker_init_fn = partial(start_worker, loader.worker_init_fn)


def start_worker(given: Callable[[int], Any] | None, worker_id: int) -> None:
    """Ignore interrupts, then start as the loader was told to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if given is not None:
        given(worker_id)
