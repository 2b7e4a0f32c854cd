"""Warnings on the command line: a line in words, without the line of code that gave them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["one_line_warnings"]

PACKAGES = "wsolkit"
"""How the names of our packages and of those of plugins begin."""

pythons = warnings.formatwarning


@contextmanager
def one_line_warnings() -> Iterator[None]:
    """Print what wsolkit and its plugins warn of as ``warning: ...``, and each warning once.

    The words of other libraries' warnings stay as they are.
    """
    before, shown = warnings.formatwarning, warnings.showwarning
    said: set[str] = set()

    def show_once(message: Warning | str, *about: Any, **more: Any) -> None:
        if str(message) not in said:
            said.add(str(message))
            shown(message, *about, **more)

    warnings.formatwarning, warnings.showwarning = one_line, show_once
    try:
        yield
    finally:
        warnings.formatwarning, warnings.showwarning = before, shown


def one_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    r"""Return a warning as it is printed.

    >>> one_line("2 images are small.", UserWarning, __file__, 1)
    'warning: 2 images are small.\n'
    """
    files = (getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if is_ours(name))
    if filename in files:
        return f"warning: {message}\n"
    return pythons(message, category, filename, lineno, line)


def is_ours(name: str) -> bool:
    """Whether a module is of a package of ours or of a plugin.

    >>> is_ours("wsolkit.cli"), is_ours("wsolkit_cam.head"), is_ours("torch")
    (True, True, False)
    """
    return name.partition(".")[0].startswith(PACKAGES)
