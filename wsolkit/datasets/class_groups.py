"""A hierarchy of the classes from a table: families, orders, whatever is coarser than a class."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from wsolkit.errors import DataError, nearest
from wsolkit.text_files import read_text

__all__ = ["read_class_groups"]


def read_class_groups(path: str | Path, classes: Sequence[str]) -> list[list[int]]:
    """Return the levels of a hierarchy, coarse to fine: the group of each class, numbered as they come.

    The file has a line for each class: its name, then its groups from coarse to fine
    (``Laysan Albatross,Procellariiformes,Diomedeidae``). Groups of one name on one level are one group. Names of other
    classes are passed over.

    Args:
        path: the file.
        classes: the names of the classes, by index.

    Raises:
        DataError: it cannot be read, a class is missing or twice in it, or the lines have different numbers of groups.
    """
    rows = csv.reader(io.StringIO(read_text(path, "Class groups"), newline=""))
    groups: dict[str, list[str]] = {}
    for number, row in enumerate(rows, start=1):
        fields = [field.strip() for field in row]
        if not any(fields):
            continue
        name, *own = fields
        if not own or "" in fields or len(own) != len(next(iter(groups.values()), own)):
            raise DataError(
                f"{path}, line {number}: expected a class and its groups from coarse to fine, as many as in the other "
                f"lines, but got {','.join(row)!r}. Correct the line."
            )
        if name in groups:
            raise DataError(f"{path}, line {number}: class {name!r} is there twice. Remove one.")
        groups[name] = own
    for name in classes:
        if name not in groups:
            raise DataError(f"{path} has no line of class {name!r}. {nearest(name, groups)}")
    levels = list(zip(*(groups[name] for name in classes), strict=True))
    return [[list(dict.fromkeys(level)).index(name) for name in level] for level in levels]
