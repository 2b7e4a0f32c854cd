"""Shows how far a run is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["Advance", "no_progress", "progress_bar"]

Advance = Callable[[int], None]
"""Told how many more images are done."""

SECONDS = 30


def no_progress(count: int) -> None:
    """Show nothing."""


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Advance]:
    """Give a function to call with the number of images that were done.

    Args:
        what: what is being done, in a word or two.
        total: how many images there are.
    """
    begun = time.monotonic()
    done = 0
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
        )
        with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=total, rate="")

            def move(count: int) -> None:
                nonlocal done
                done += count
                bar.update(task, advance=count, rate=f"{done / (time.monotonic() - begun):.0f} images/s")

            yield move
        return
    told = begun

    def tell(count: int) -> None:
        nonlocal done, told
        done += count
        now = time.monotonic()
        if now - told >= SECONDS:
            told = now
            print(f"{what}: {done} of {total} images, {done / (now - begun):.0f} images/s", file=sys.stderr, flush=True)

    yield tell
