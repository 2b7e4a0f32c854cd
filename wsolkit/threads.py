"""Work in several threads with results in the order of the input, a bounded number of items ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from wsolkit.errors import ConfigError

__all__ = ["in_order"]

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AHEAD = 4
"""Items in work or waiting to be taken, for each thread."""


def in_order(work: Callable[[Item], Answer], items: Iterable[Item], threads: int) -> Iterator[Answer]:
    """Yield ``work(item)`` of every item, in order; what is raised is raised here, and the rest is dropped.

    Args:
        work: called in the threads.
        items: taken in this thread, a few ahead.
        threads: number of threads, from 1.

    Raises:
        ConfigError: there is no thread.

    >>> list(in_order(lambda number: number * number, range(5), threads=2))
    [0, 1, 4, 9, 16]
    """
    if threads < 1:
        raise ConfigError(f"threads should be 1 or more, but got {threads}.")
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Answer]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
