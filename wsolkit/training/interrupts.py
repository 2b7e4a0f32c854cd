"""Ctrl-C, held back while it would be lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["interrupts_later"]


@contextmanager
def interrupts_later() -> Iterator[None]:
    """Hold an interrupt back until the block is done, in the main thread, which alone gets them.

    mmengine copies its message hub for every checkpoint and drops whatever is raised meanwhile.

    >>> with interrupts_later():
    ...     pass
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: seen.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
        if seen:
            os.kill(os.getpid(), signal.SIGINT)
