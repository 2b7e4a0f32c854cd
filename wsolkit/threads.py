"""Work in several threads with results in the order of the input, a bounded number of items ahead."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from wsolkit.errors import ConfigError

__all__ = ["cores", "default_threads", "in_order"]

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AHEAD = 4
"""Items in work or waiting to be taken, for each thread."""

ENOUGH = 8
"""Threads beyond which readers and writers of images gain little."""


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_threads() -> int:
    """Return how many threads work where nobody says: one for each core, 8 at most."""
    return min(ENOUGH, cores())


def in_order(
    work: Callable[[Item], Answer], items: Iterable[Item], threads: int, ahead: int = AHEAD
) -> Iterator[Answer]:
    """Yield ``work(item)`` of every item, in order; what is raised is raised here, and the rest is dropped.

    Where an item cannot be made, the answers of those before it come first.

    Args:
        work: called in the threads.
        items: taken in this thread, a few ahead; what making them costs is spent while the threads work.
        threads: number of threads; 0 works in this one.
        ahead: items in work or waiting to be taken, for each thread.

    Raises:
        ConfigError: the number of threads is negative.

    >>> list(in_order(lambda number: number * number, range(5), threads=2))
    [0, 1, 4, 9, 16]
    """
    if threads < 0:
        raise ConfigError(f"threads should be 0 or more, but got {threads}.")
    if threads == 0:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Answer]] = deque()
        try:
            left, failed = iter(items), None
            while failed is None:
                try:
                    waiting.append(pool.submit(work, next(left)))
                except StopIteration:
                    break
                except Exception as error:
                    failed = error
                if len(waiting) >= ahead * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
            if failed is not None:
                raise failed
        finally:
            for future in waiting:
                future.cancel()
