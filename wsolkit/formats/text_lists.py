"""Text files of one thing in each line: written whole, read line by line with words for the line that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from wsolkit.errors import DataError, shortened
from wsolkit.files import whole_file
from wsolkit.formats.checked_boxes import MOST_CLASSES
from wsolkit.text_files import lines_of, read_text

__all__ = [
    "malformed",
    "numbered_lines",
    "one_line",
    "read_class_names",
    "set_once",
    "split_line",
    "whole_number",
    "write_lines",
]

DIGITS = 20
"""Whole numbers of more digits mean nothing here; Python refuses to read those of thousands."""

K = TypeVar("K")
V = TypeVar("V")


def numbered_lines(path: str | Path, keep: bool = False) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, stripped text) of the lines that are not blank.

    Args:
        path: the file.
        keep: let bytes that are no UTF-8 stand, in lists that ``write_lines`` wrote.

    Raises:
        DataError: the file is missing or is no text.
    """
    for number, line in enumerate(lines_of(read_text(path, "List", "Check data_root.", keep)), start=1):
        if line.strip():
            yield number, line.strip()


def malformed(path: str | Path, number: int, line: str, expected: str) -> DataError:
    """Return the error about one line of a file.

    >>> str(malformed("sizes.txt", 3, "a,b", "path,width,height"))
    "sizes.txt, line 3: expected 'path,width,height', but got 'a,b'. Correct the line."
    """
    return DataError(f"{path}, line {number}: expected {expected!r}, but got {shortened(line)!r}. Correct the line.")


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
    digits = text.removeprefix("-")
    value = int(text) if digits.isdecimal() and len(digits) < DIGITS else None
    if value is None or value not in allowed:
        bounds = f"{allowed[0]} to {allowed[-1]}" if len(allowed) else "nothing (there are none)"
        raise DataError(
            f"{path}, line {number}: the {what} should be one of {bounds}, but got {shortened(text)!r}. Correct the "
            "line."
        )
    return value


def set_once(found: dict[K, V], key: K, value: V, where: str, what: str = "image") -> None:
    """Put what a list says of a name where it belongs; the same said again is no mistake.

    Raises:
        DataError: the list has said something else of it before.

    >>> labels = {"a.jpg": 1}
    >>> set_once(labels, "a.jpg", 1, "labels.txt, line 2")
    >>> set_once(labels, "a.jpg", 2, "labels.txt, line 3")
    Traceback (most recent call last):
    wsolkit.errors.DataError: labels.txt, line 3: image 'a.jpg' is there twice, as 1 and as 2. Remove what is wrong.
    """
    if found.setdefault(key, value) != value:
        raise DataError(
            f"{where}: {what} {key!r} is there twice, as {shortened(str(found[key]))} and as "
            f"{shortened(str(value))}. Remove what is wrong."
        )


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write a text file of these lines, whole or not at all; names of files that are no text keep their bytes.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "classes.txt"
    >>> write_lines(path, ["owl", "elf owl"])
    >>> list(numbered_lines(path))
    [(1, 'owl'), (2, 'elf owl')]
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{one_line(line, path)}\n" for line in lines)


def one_line(name: str, where: str | Path) -> str:
    r"""Return a name that can stand in a list of names, one in each line.

    Raises:
        DataError: it has a line break, which would make two names of it.

    >>> one_line("owl\neagle", "classes.txt")
    Traceback (most recent call last):
    wsolkit.errors.DataError: classes.txt: the name 'owl\neagle' has a line break, so that it would be read as two. ...
    """
    if "\n" in name or "\r" in name:
        raise DataError(f"{where}: the name {name!r} has a line break, so that it would be read as two. Rename it.")
    return name


def read_class_names(path: str | Path) -> list[str]:
    """Return the class names of a list by label: one name in each line, or ``label,name`` in any order.

    Raises:
        DataError: the file is missing, names no class, leaves out a label, or names one twice.
    """
    names: dict[int, str] = {}
    for position, (number, line) in enumerate(numbered_lines(path)):
        label, comma, name = (part.strip() for part in line.partition(","))
        if comma and label.isdecimal():
            index = whole_number(path, number, label, "label", range(MOST_CLASSES))
            set_once(names, index, name, f"{path}, line {number}", "class")
        else:
            set_once(names, position, line, f"{path}, line {number}", "class")
    if not names:
        raise DataError(f"{path} names no class. Write one name in each line.")
    if max(names) != len(names) - 1:
        lacking = sorted(set(range(max(names) + 1)) - set(names))
        raise DataError(f"{path} should name every label from 0 to {max(names)}, but lacks {lacking[:5]}. Add them.")
    return [names[label] for label in range(len(names))]
