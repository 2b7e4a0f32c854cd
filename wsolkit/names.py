"""Names that mean the same however their accents are written: composed (NFC) or decomposed (NFD), as on a Mac."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

__all__ = ["Known", "composed"]


def composed(name: str) -> str:
    """Return a name with its accents composed (Unicode NFC).

    >>> composed("cafe" + chr(0x301)) == "caf" + chr(0xE9)
    True
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name)


class Known:
    """Names that are known, found as they are written or, where no such one is there, with other accents.

    Args:
        names: the names.

    >>> Known(["owl", "caf" + chr(0xE9)]).find("cafe" + chr(0x301)) == "caf" + chr(0xE9)
    True
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = dict.fromkeys(names)
        self._composed = {composed(name): name for name in self.names if not name.isascii()}

    def find(self, name: str) -> str | None:
        """Return the known name that is meant, or None."""
        if name in self.names:
            return name
        return None if name.isascii() else self._composed.get(composed(name))
