"""Several processes that share the images of one run: who they are, and how they wait for each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch.distributed as dist

from wsolkit.errors import DataError, WsolkitError

__all__ = ["Ranks", "started_ranks"]

Value = TypeVar("Value")
PATIENCE = timedelta(days=30)
"""How long a process waits for the others: as long as a run may take."""


class Ranks:
    """The processes of a run.

    Attributes:
        rank: which one this is, from 0.
        world: how many there are.
    """

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.rank = rank
        self.world = world

    def first(self, work: Callable[[], Value]) -> Value:
        """Do ``work`` in the first process and return what it returned, or raise what it raised, in every one.

        Raises:
            WsolkitError: what the work raised.
            DataError: another process has died.

        >>> Ranks().first(lambda: 3)
        3
        """
        if self.world == 1:
            return work()
        answer: list = [None, None]
        if self.rank == 0:
            try:
                answer[0] = work()
            except WsolkitError as error:
                answer[1] = error
        self._together(lambda: dist.broadcast_object_list(answer, src=0))
        if answer[1] is not None:
            raise answer[1]
        return answer[0]

    def wait(self) -> None:
        """Wait until every process is here.

        Raises:
            DataError: another process has died.
        """
        if self.world > 1:
            self._together(dist.barrier)

    def _together(self, act: Callable[[], object]) -> None:
        try:
            act()
        except RuntimeError as error:
            raise DataError(
                f"Process {self.rank} of {self.world} has lost another one, whose message says why. What is done is "
                "kept: run the same command again."
            ) from error


@contextmanager
def started_ranks() -> Iterator[Ranks]:
    """Give the processes that torchrun started, or this one alone."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1 or "RANK" not in os.environ:
        yield Ranks()
        return
    own = not dist.is_initialized()
    if own:
        dist.init_process_group("gloo", timeout=PATIENCE)
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        if own:
            dist.destroy_process_group()
