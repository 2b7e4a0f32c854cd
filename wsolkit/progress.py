"""Shows how far a run is: a bar on a terminal, a line now and then elsewhere, in the first process alone."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = [
    "Advance",
    "Shows",
    "duration",
    "first_process",
    "hidden",
    "no_progress",
    "pace",
    "progress_bar",
    "progress_bars",
    "terminal_bar",
    "watched",
]

Advance = Callable[[int], None]
"""Told how many more images are done."""

Shows = Callable[[str, int], AbstractContextManager[Advance]]
"""Given what is done and how many images there are, such as ``progress_bar``."""

SECONDS = 30


def no_progress(count: int) -> None:
    """Show nothing."""


@contextmanager
def hidden(*_: Any) -> Iterator[Advance]:
    """Take the place of ``progress_bar`` where nobody asked for one."""
    yield no_progress


def duration(seconds: float) -> str:
    """Return a time as people read it.

    >>> duration(3.24), duration(200), duration(7260)
    ('3.2 s', '3 min 20 s', '2 h 01 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def pace(done: int, seconds: float, unit: str) -> str:
    """Return how fast something goes: how many a second, or how long each takes where that is more than a second.

    >>> pace(620, 31.0, "images"), pace(7, 80.0, "batches"), pace(0, 80.0, "batches")
    ('20 images/s', '11.4 s each', '0 batches/s')
    """
    if 0 < done < seconds:
        return f"{duration(seconds / done)} each"
    rate = done / max(seconds, 1e-9)
    return f"{rate:.1f} {unit}/s" if 0 < rate < 10 else f"{rate:.0f} {unit}/s"


def first_process() -> bool:
    """Whether this is the first process of a run: torchrun numbers the ones it starts."""
    return int(os.environ.get("RANK", "0")) == 0


def watched() -> bool:
    """Whether somebody watches this process on a terminal."""
    return first_process() and sys.stderr.isatty()


def terminal_bar(**options: Any) -> Progress:
    """Return the display of all bars: what is done, a bar, how many of how many, a note, the time spent and left.

    Args:
        options: more arguments of ``rich.progress.Progress``.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        **options,
    )


@contextmanager
def progress_bar(what: str, total: int, unit: str = "images") -> Iterator[Advance]:
    """Give a function to call with the number of images that were done.

    Args:
        what: what is being done, in a word or two.
        total: how many images there are.
        unit: what is counted.

    >>> with progress_bar("boxes", total=2) as advance:
    ...     advance(2)
    """
    begun = told = time.monotonic()
    done = 0
    if watched():
        with terminal_bar() as bar:
            task = bar.add_task(what, total=total, note="")

            def move(count: int) -> None:
                nonlocal done
                done += count
                bar.update(task, advance=count, note=pace(done, time.monotonic() - begun, unit))

            yield move
        return

    def tell(count: int) -> None:
        nonlocal done, told
        done += count
        now = time.monotonic()
        if count and now - told >= SECONDS:
            told = now
            print(f"{what}: {done} of {total} {unit}, {pace(done, now - begun, unit)}", file=sys.stderr, flush=True)

    yield tell if first_process() else no_progress


@contextmanager
def progress_bars(unit: str = "batches") -> Iterator[Callable[[str, int, int], None]]:
    """Give a function to call with (what is done, how many of it are, how many there are), one thing after another.

    Args:
        unit: what is counted.

    >>> with progress_bars() as advance:
    ...     advance("val split", 1, 2)
    ...     advance("val split", 2, 2)
    ...     advance("test split", 1, 4)
    """
    with ExitStack() as shown:
        now: str | None = None
        before = 0
        move: Advance = no_progress

        def advance(what: str, done: int, total: int) -> None:
            nonlocal now, before, move
            if what != now:
                shown.close()
                now, before, move = what, 0, shown.enter_context(progress_bar(what, total, unit))
            move(done - before)
            before = done

        yield advance
