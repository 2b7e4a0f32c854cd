"""Reads the text files of data sets line by line and says where a line is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from wsolkit.errors import DataError

__all__ = ["malformed", "numbered_lines", "split_line", "whole_number"]


def numbered_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, stripped text) of the lines that are not blank.

    Raises:
        DataError: the file is missing or is no text.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"List {path} cannot be opened: {error.strerror or error}. Check data_root.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"List {path} is no UTF-8 text: {error.reason}. Check what the path points to.") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def malformed(path: str | Path, number: int, line: str, expected: str) -> DataError:
    """Return the error about one line of a file.

    >>> str(malformed("sizes.txt", 3, "a,b", "path,width,height"))
    "sizes.txt, line 3: expected 'path,width,height', but got 'a,b'. Correct the line."
    """
    return DataError(f"{path}, line {number}: expected {expected!r}, but got {line!r}. Correct the line.")


def split_line(path: str | Path, number: int, line: str, expected: str, separator: str | None = ",") -> list[str]:
    """Split a line into a leading name, which may hold the separator itself, and the fields behind it.

    Args:
        path: the file, for the error.
        number: the line's number, for the error.
        line: the line.
        expected: what a line looks like, such as ``path,width,height``; it says how many fields there are.
        separator: what stands between fields; None for white space.

    Raises:
        DataError: the line has fewer fields.

    >>> split_line("sizes.txt", 1, "a,b.jpg,4,3", "path,width,height")
    ['a,b.jpg', '4', '3']
    """
    fields = len(expected.split(separator))
    parts = [part.strip() for part in line.rsplit(separator, fields - 1)]
    if len(parts) != fields or not parts[0]:
        raise malformed(path, number, line, expected)
    return parts


def whole_number(path: str | Path, number: int, text: str, what: str, allowed: Sequence[int] | range) -> int:
    """Return a number of a line that should be one of ``allowed``, which ascend.

    Raises:
        DataError: it is no whole number, or not one of them.
    """
    value = int(text) if text.removeprefix("-").isdecimal() else None
    if value is None or value not in allowed:
        bounds = f"{allowed[0]} to {allowed[-1]}" if len(allowed) else "nothing (there are none)"
        raise DataError(
            f"{path}, line {number}: the {what} should be one of {bounds}, but got {text!r}. Correct the line."
        )
    return value
