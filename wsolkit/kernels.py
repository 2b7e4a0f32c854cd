"""Loops over numbers that numba compiles, wherever wsolkit is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

__all__ = ["compiled"]


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that has numba compile a function when it is first called, and keep it in numba's cache.

    The function releases the interpreter's lock. Where neither the package's folder nor the user's can be written to,
    as in a read-only container, nothing is kept: numba itself would refuse such a function.

    Args:
        options: more of numba's, such as ``fastmath``.

    >>> @compiled()
    ... def double(number):
    ...     return 2 * number
    >>> double.py_func(4)
    8
    """

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # there is no place for a cache
            return njit(nogil=True, **options)(function)

    return decorate
