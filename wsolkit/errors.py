"""The errors wsolkit explains itself: each says what was wrong, what was given and what to do next."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "MapError",
    "PluginError",
    "ShapeError",
    "WsolkitError",
    "named_in",
    "nearest",
]


class WsolkitError(Exception):
    """A mistake in the input that the message explains; the command line prints it without a traceback."""


class ConfigError(WsolkitError):
    """A configuration names something that does not exist or does not fit."""


class PluginError(WsolkitError):
    """Two plugins clash, or a plugin hands over something that is no component."""


class DataError(WsolkitError):
    """Images, labels or boxes are missing, unreadable or contradict each other."""


class CheckpointError(WsolkitError):
    """A checkpoint or a weight file is missing, truncated, unsafe or made for another model."""


class ShapeError(WsolkitError):
    """Two parts disagree about a shape."""


class MapError(WsolkitError):
    """A score map holds numbers that are no scores."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the known names nearest to a misspelt one, or lists a few.

    >>> nearest("TimBackbone", ["TimmBackbone", "VGG16GAP"])
    "Did you mean 'TimmBackbone'?"
    >>> nearest("zzz", ["a", "b"])
    "Known names: 'a', 'b'."
    >>> nearest("zzz", [])
    'Nothing is known here.'
    """
    names = sorted(set(known))
    folded = {candidate.lower(): candidate for candidate in names}
    close = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(repr(folded[match]) for match in close) + "?"
    if not names:
        return "Nothing is known here."
    shown = ", ".join(repr(candidate) for candidate in names[:12])
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"Known names: {shown}{more}."


def named_in(error: Exception) -> set[str]:
    """Return the words of a message, without the parts that it only advises.

    >>> sorted(named_in(ValueError("A asks for more. Use dict(type='B').")))
    ['A', 'Use', 'asks', 'dict', 'for', 'more']
    """
    return set(re.findall(r"\w+", re.sub(r"type='\w+'", "", str(error))))
