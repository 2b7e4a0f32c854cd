"""Whether a model is being built from a configuration that is data, so that no configuration in Python may be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["data_only", "is_data_only"]

_data_only = ContextVar("data_only", default=False)


@contextmanager
def data_only() -> Iterator[None]:
    """Let no configuration in Python be read meanwhile, since what is built comes from a file that may be a stranger's.

    >>> with data_only():
    ...     is_data_only()
    True
    """
    before = _data_only.set(True)
    try:
        yield
    finally:
        _data_only.reset(before)


def is_data_only() -> bool:
    """Whether a model is being built that was given as a checkpoint alone.

    A part that reads another configuration later, such as that of a second model, asks this in its ``__init__`` and
    then takes ``load_model(checkpoint)``, which runs no code.
    """
    return _data_only.get()
