"""Who brings the parts that the registries look up: a finder, handed in from above, since plugins import registries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Found", "find_parts", "use_finder"]


class Found(Protocol):
    """What a finder has found."""

    def file(self, interface: str, name: str) -> None:
        """Put the part of that name, if there is one, into the registry of its interface."""

    def stand_in(self, interface: str, name: str) -> Callable[..., None] | None:
        """Return what shows a part's name and signature without importing it, or None where the source does not."""

    def names(self, interface: str) -> list[str]:
        """Return the names of the parts of an interface, those that are not in its registry yet as well."""

    def filed_name(self, interface: str, name: str) -> str:
        """Return the name under which the part that a configuration names so is filed in its registry."""
        ...

    def every_name(self, interface: str) -> set[str]:
        """Return what may be written for the parts of an interface: their names, and with their packages before."""

    def remark(self) -> str:
        """Say what is missing, for messages about a name that was not found."""


class Nothing:
    """What is found where there is no finder."""

    def file(self, interface: str, name: str) -> None:
        """File nothing."""

    def stand_in(self, interface: str, name: str) -> Callable[..., None] | None:
        """Show nothing."""
        return None

    def names(self, interface: str) -> list[str]:
        """Know no names."""
        return []

    def filed_name(self, interface: str, name: str) -> str:
        """Return the name without wsolkit's own before it."""
        return name.removeprefix("wsolkit.")

    def every_name(self, interface: str) -> set[str]:
        """Know no names."""
        return set()

    def remark(self) -> str:
        """Say nothing."""
        return ""


_finder: Callable[[], Found] = Nothing


def use_finder(finder: Callable[[], Found]) -> None:
    """Set who knows all parts; it is asked at every look-up and remembers what it found.

    ``import wsolkit`` sets ``wsolkit.load_plugins``.
    """
    global _finder
    _finder = finder


def find_parts() -> Found:
    """Return what the finder has found."""
    return _finder()
