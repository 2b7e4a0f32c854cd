"""A stranger's import under watch: one that hangs is named, and one that would end the program is kept from it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wsolkit.errors import PluginError

__all__ = ["watched"]

PATIENCE = 10.0
"""Seconds after which an import that is not done is named."""


@contextmanager
def watched(what: str, advice: str = "") -> Iterator[None]:
    """Name what is being imported where that takes long, and turn a call of ``os._exit`` into an error.

    Such a call ends the process at once, past everything that could name the culprit. Child processes may still call
    it.

    Args:
        what: what is imported, for the words.
        advice: how to go on without it.

    Raises:
        PluginError: ``os._exit`` was called.

    >>> with watched("plugin 'bad'"):
    ...     os._exit(0)
    Traceback (most recent call last):
    wsolkit.errors.PluginError: it calls os._exit(0), which would end the whole program
    """
    leave, own, over = os._exit, os.getpid(), threading.Event()

    def refuse(status: int) -> Any:
        if over.is_set() or os.getpid() != own:
            leave(status)
        raise PluginError(f"it calls os._exit({status}), which would end the whole program")

    def name() -> None:
        print(f"Still importing {what} after {PATIENCE:g} s. {advice}".strip(), file=sys.stderr, flush=True)

    timer = threading.Timer(PATIENCE, name)
    timer.daemon = True
    timer.start()
    os._exit = refuse
    try:
        yield
    finally:
        over.set()
        os._exit = leave
        timer.cancel()
