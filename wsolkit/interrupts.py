"""Ctrl-C and ``kill``: both end a command in the same way, and both are held back while they would be lost."""

from __future__ import annotations

import atexit
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Terminated", "exit_code", "interrupts_later", "mind_no_lost_children", "terminations", "the_interrupt"]

STOPS = (signal.SIGINT, signal.SIGTERM)
ONE_REQUEST = 5.0
"""Seconds within which a second SIGTERM is the same request: a launcher and its batch system may both send one."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, as ``kill``, batch systems, containers and torchrun send it."""


def exit_code(stop: KeyboardInterrupt) -> int:
    """Return what a command exits with after an interrupt: 128 and the number of the signal, as shells have it.

    >>> exit_code(KeyboardInterrupt()), exit_code(Terminated())
    (130, 143)
    """
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


@contextmanager
def terminations() -> Iterator[None]:
    """Let SIGTERM raise ``Terminated`` in the block, in the main thread, unless somebody else has taken the signal."""
    if not in_main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    asked = -ONE_REQUEST

    def end(*_: Any) -> None:
        nonlocal asked
        again, asked = time.monotonic() - asked < ONE_REQUEST, time.monotonic()
        if not again:
            if hasattr(signal, "SIGCHLD"):  # else torch raises, on the way out, for readers that the signal ended too
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            raise Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def interrupts_later() -> Iterator[None]:
    """Hold interrupts back until the block is done, in the main thread, which alone gets them.

    mmengine copies its message hub for every checkpoint and drops whatever is raised meanwhile.

    >>> with interrupts_later():
    ...     pass
    """
    if not in_main_thread():
        yield
        return
    seen: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: seen.append(number)) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if seen:
            signal.raise_signal(seen[0])


def mind_no_lost_children() -> None:
    """Let nothing be said, while this process ends, of its children that the same signal ended.

    ``timeout`` and batch systems send it to all of them, and torch raises where a process that reads images is lost.
    """
    if in_main_thread() and hasattr(signal, "SIGCHLD"):
        atexit.register(signal.signal, signal.SIGCHLD, signal.SIG_DFL)


def the_interrupt(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interrupt that somebody handled when an error arose, if any: others catch more than they should."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KeyboardInterrupt):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def in_main_thread() -> bool:
    """Whether this is the thread that gets signals."""
    return threading.current_thread() is threading.main_thread()
