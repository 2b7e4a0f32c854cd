"""Text files of one thing in each line: written whole, read line by line with words for the line that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from wsolkit.errors import DataError
from wsolkit.files import whole_file

__all__ = ["malformed", "numbered_lines", "read_class_names", "split_line", "whole_number", "write_lines"]


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


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write a text file of these lines, whole or not at all; names of files that are no text keep their bytes.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "classes.txt"
    >>> write_lines(path, ["owl", "elf owl"])
    >>> list(numbered_lines(path))
    [(1, 'owl'), (2, 'elf owl')]
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{line}\n" for line in lines)


def read_class_names(path: str | Path) -> list[str]:
    """Return the class names of a list by label: one name in each line, or ``label,name`` in any order.

    Raises:
        DataError: the file is missing, names no class, or leaves out a label.
    """
    names: dict[int, str] = {}
    for position, (_, line) in enumerate(numbered_lines(path)):
        label, comma, name = line.partition(",")
        if comma and label.strip().isdigit():
            names[int(label)] = name.strip()
        else:
            names[position] = line
    if not names:
        raise DataError(f"{path} names no class. Write one name in each line.")
    if sorted(names) != list(range(len(names))):
        lacking = sorted(set(range(max(names) + 1)) - set(names))
        raise DataError(f"{path} should name every label from 0 to {max(names)}, but lacks {lacking[:5]}. Add them.")
    return [names[label] for label in range(len(names))]
