"""How long features took to compute, told to whoever wants to know: they are shared, so no method pays for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["hearing_of_features", "tell_of_features"]

HEARERS: list[Callable[[float], None]] = []


@contextmanager
def hearing_of_features(hear: Callable[[float], None]) -> Iterator[None]:
    """Call a function with the seconds of every computing of features in the block, and of every waiting for one.

    >>> seconds = []
    >>> with hearing_of_features(seconds.append):
    ...     tell_of_features(2.0)
    >>> tell_of_features(3.0)
    >>> seconds
    [2.0]
    """
    HEARERS.append(hear)
    try:
        yield
    finally:
        HEARERS.remove(hear)


def tell_of_features(seconds: float) -> None:
    """Say how long a computing of features took."""
    for hear in HEARERS:
        hear(seconds)
