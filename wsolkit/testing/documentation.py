"""The contract of a part's documentation, which ``wsolkit show`` prints."""

from __future__ import annotations

import inspect

from wsolkit.testing.promises import promised

__all__ = ["check_documentation"]


def check_documentation(part: type) -> None:
    """Check that a part's documentation begins with one sentence on a line of its own.

    Args:
        part: the class.

    Raises:
        AssertionError: it does not.

    >>> check_documentation(dict)
    Traceback (most recent call last):
    AssertionError: dict has a docstring that begins with one sentence on one line: it does not, found ...
    """
    first = (inspect.getdoc(part) or "").split("\n\n")[0].split("\n")
    one_sentence = len(first) == 1 and first[0].endswith((".", ":"))
    promised(part, one_sentence, "has a docstring that begins with one sentence on one line", repr("\n".join(first)))
