"""The parser of every command: options may stand anywhere among the other arguments."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsolkit.errors import nearest

__all__ = ["MixedParser", "options_apart"]

GREEDY = "--cfg-options"
"""The option that takes as many entries as follow."""

FILES = (".pth", ".pt", ".bin", ".safetensors", ".py")


class MixedParser(argparse.ArgumentParser):
    """A parser that takes options between the positional arguments too, and shares these out when it has them all."""

    _sharing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the arguments and what is left; see ``ArgumentParser``."""
        if self._sharing or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        self._sharing = True
        try:
            found, unknown = self.parse_known_intermixed_args(None if args is None else options_apart(args), namespace)
        finally:
            self._sharing = False
        if offered := self.offer(unknown):
            self.error(f"unrecognized arguments: {' '.join(unknown)}. {offered}")
        return found, unknown

    def offer(self, unknown: Sequence[str]) -> str:
        """Return a sentence on the option nearest to the first unknown one; empty where none is near."""
        given = next((word.partition("=")[0] for word in unknown if word.startswith("--")), "")
        offered = nearest(given, [name for name in self._option_string_actions if name.startswith("--")])
        return offered if given and offered.startswith("Did you mean") else ""


def options_apart(words: Sequence[str]) -> list[str]:
    """Return a command line in which a file or folder behind ``--cfg-options a=b`` is no entry of that option.

    What has no ``=`` and is there, or is called like a file of weights or a configuration, ends the entries.

    >>> options_apart(["--cfg-options", "a=1", "b=2", "best.pth", "--device", "cpu"])
    ['--cfg-options=a=1', '--cfg-options=b=2', 'best.pth', '--device', 'cpu']
    """
    found: list[str] = []
    entries = False
    for number, word in enumerate(words):
        if word == "--":
            return [*found, *words[number:]]
        last = number + 1 == len(words) or words[number + 1].startswith("-")
        entries = word == GREEDY or (entries and not word.startswith("-") and not names_file(word))
        if word != GREEDY:
            found.append(f"{GREEDY}={word}" if entries else word)
        elif last:  # without an entry, which the parser says
            found.append(word)
    return found


def names_file(word: str) -> bool:
    """Whether a word is the path of something rather than an entry KEY=VALUE."""
    return "=" not in word and (Path(word).suffix in FILES or Path(word).expanduser().exists())
