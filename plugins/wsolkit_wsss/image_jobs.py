"""Does the same work for many images, one after another or several at a time, and shows how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from wsolkit import ConfigError, in_order, progress_bar

__all__ = ["check_workers", "run_jobs", "shown"]

Job = Callable[[int], Any]


def check_workers(workers: int) -> None:
    """Look at a number of threads.

    Raises:
        ConfigError: it is negative.
    """
    if workers < 0:
        raise ConfigError(f"workers should be 0 or more, but got {workers}.")


def run_jobs(
    make: Callable[..., Job], settings: Sequence[Any], indices: Sequence[int], workers: int = 0, what: str = "images"
) -> list[Any]:
    """Call a job for each index and return what it returns, in order.

    Threads are enough for several cores: the CRF, numpy, and the readers and writers of pictures let others run
    meanwhile. Each thread makes a job of its own, so that a job may keep what it has read.

    Args:
        make: makes a job.
        settings: the arguments of ``make``.
        indices: what to call the job with.
        workers: threads; 0 works in this one.
        what: what is being done, to be shown.

    Raises:
        ConfigError: ``workers`` is negative.

    >>> run_jobs(lambda base: lambda index: base + index, [10], [1, 2], workers=2)
    [11, 12]
    """
    check_workers(workers)
    own = threading.local()

    def work(index: int) -> Any:
        if not hasattr(own, "job"):
            own.job = make(*settings)
        return own.job(index)

    return list(shown(in_order(work, indices, workers), what, len(indices)))


def shown(items: Iterable[Any], what: str, total: int) -> Iterator[Any]:
    """Yield items and show how many there were so far.

    >>> list(shown([1, 2], "counting", 2))
    [1, 2]
    """
    with progress_bar(what, total) as advance:
        for item in items:
            yield item
            advance(1)
