"""Who brings the parts that the registries look up: a finder, handed in from above, since plugins import registries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Found", "find_parts", "use_finder"]


class Found(Protocol):
    """What a finder has found."""

    def remark(self) -> str:
        """Say what is missing, for messages about a name that was not found."""


_finder: Callable[[], Found] | None = None


def use_finder(finder: Callable[[], Found]) -> None:
    """Set who files all parts in the registries; it is asked at every look-up and remembers what it did.

    ``import wsolkit`` sets ``wsolkit.load_plugins``.
    """
    global _finder
    _finder = finder


def find_parts() -> str:
    """Let the finder file all parts, and return its remark about what is missing."""
    return "" if _finder is None else _finder().remark()
