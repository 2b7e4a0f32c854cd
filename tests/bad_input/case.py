"""One bad input: how it is made, the command that meets it, and what a user is told."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Case", "drawn"]

EVERY = 3
"""A run without ``WSOLKIT_BAD_INPUT=all`` takes about one case in so many."""


@dataclass(frozen=True)
class Case:
    """A command line over bad input, and what it must answer.

    Args:
        name: what is wrong, unique in its file.
        command: makes the input below a folder, which is the working directory too, and returns the arguments of
            ``wsolkit``.
        words: a regular expression that the error output must match, or the whole output where ``code`` is 0.
        code: the exit code; 0 for input that looks bad and has to be accepted.
        always: whether every run tries it; name one of each kind.
    """

    name: str
    command: Callable[[Path], Sequence[object]]
    words: str
    code: int = 2
    always: bool = False


def drawn(case: Case) -> bool:
    """Whether this run tries a case; the choice depends on its name alone."""
    if case.always or os.environ.get("WSOLKIT_BAD_INPUT") == "all":
        return True
    return zlib.crc32(case.name.encode()) % EVERY == 0
