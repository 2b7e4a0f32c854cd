"""Tables that say which classes an image shows: ``labels.csv``, and ``metadata.csv`` or ``.jsonl`` of Hugging Face.

A line names an image and its classes (``image,label[,label...]``), or has a column of 0 and 1 for each class. A heading
is known by its words or because its first cell is no file of an image. Where it names columns of labels (``label``,
``labels``, ``class``, ``category``, ``tag``, ``target``, also numbered), all others are left out, and a column
``split`` says which images are whose; where it does not, all columns but the image's are looked at.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from wsolkit.datasets.image_walk import is_image
from wsolkit.datasets.layouts.class_folders import SPLITS, split_meant
from wsolkit.errors import DataError, first_few, shortened
from wsolkit.formats.checked_boxes import MOST_CLASSES
from wsolkit.formats.csv_boxes import plain, readable
from wsolkit.formats.text_lists import DIGITS
from wsolkit.names import composed
from wsolkit.text_files import lines_of, parse_json, read_text

__all__ = ["LABEL", "TABLE_SUFFIXES", "LabelRow", "LabelTable", "number_first", "read_label_table"]

TABLE_SUFFIXES = (".csv", ".jsonl")
EXPECTED = "image,label[,label...]"
IMAGE = re.compile(r"(image|img|photo|picture|file)s?([ _]?(name|path|id))?|name|path|id|id_code|key")
"""Headings of the column of images, in lower case."""
LABEL = re.compile(r"(label|class|category|tag|target)(es|s)?([ _]?(name|\d+))?|classname|categories|y")
"""Headings of columns of labels."""
SPLIT = ("split", "set", "subset", "partition")
"""Headings of the column of splits."""
PRESENT, ABSENT = ("1", "1.0", "true"), ("0", "0.0", "false", "")
"""What a cell of a class's own column says."""


class LabelRow(NamedTuple):
    """What a table says of one image: the name it writes, its classes, its split or nothing, and the line."""

    name: str
    labels: tuple[str, ...]
    split: str
    line: int


@dataclass(frozen=True)
class LabelTable:
    """The images of a table with their classes.

    Attributes:
        path: the file.
        rows: a row for each image, in the order of the file.
        classes: the names of all classes: in the order of their columns, or sorted, numbers by size.
        multi_label: whether images have several classes, or, where each class has a column, none.
        has_splits: whether a column says which split an image belongs to.
        how: which columns were read as what, in words.
    """

    path: Path
    rows: Sequence[LabelRow]
    classes: Sequence[str]
    multi_label: bool
    has_splits: bool
    how: str


class Line(NamedTuple):
    """Cells of a table, texts or lists of texts, and where they stand."""

    number: int
    cells: list[Any]


def read_label_table(path: str | Path, classes: Sequence[str] | None = None) -> LabelTable:
    """Read a table of labels: CSV (also with semicolons or tabs), or JSON lines with a ``file_name``.

    Args:
        path: the file; JSON lines where it ends in ``.jsonl``.
        classes: the names of the classes, needed where each class has a column and no heading names them.

    Raises:
        DataError: the file is missing, no table, names no image, or does not say which columns are labels.
    """
    path = Path(path)
    text = read_text(path, "Labels", "Write image,label in each line, or check labels= and data_root=.", keep=True)
    heading, lines = json_lines(text, path) if path.suffix.lower() == ".jsonl" else csv_lines(text, path)
    if not lines:
        raise DataError(f"Labels {path} name no image. Write {EXPECTED} in each line.")
    return with_heading(path, heading, lines) if heading else without_heading(path, lines, classes)


def csv_lines(text: str, path: Path) -> tuple[list[str], list[Line]]:
    """Return the heading of a table, [] where it has none, and its lines."""
    first = next((line for line in lines_of(text) if line.strip()), "")
    mark = next((mark for mark in ("\t", ",", ";") if mark in first), ",")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    lines = []
    for row in readable(rows, path, EXPECTED):
        cells = [plain(cell.strip()) for cell in row]
        if any(cells):
            lines.append(Line(rows.line_num, cells))
    if not lines or not is_heading(lines[0].cells, [line.cells[0] for line in lines[1:]]):
        return [], lines
    heading = lines[0].cells
    for line in lines[1:]:
        if len(line.cells) > len(heading) and any(line.cells[len(heading) :]):
            raise DataError(
                f"{path}, line {line.number}: there are {len(line.cells)} cells, but the heading has {len(heading)}. "
                "Name each column, or write the name of an image with a comma in quotes."
            )
    width = len(heading)
    return heading, [Line(line.number, (line.cells + [""] * width)[:width]) for line in lines[1:]]


def is_heading(cells: Sequence[str], names: Iterable[str]) -> bool:
    """Whether the first line of a table is a heading.

    >>> is_heading(["image", "label"], ["a.jpg"]), is_heading(["a.jpg", "owl"], ["b.jpg"]), is_heading(["x", "y"], [])
    (True, False, False)
    """
    if any(names_image(cell) for cell in cells):
        return False
    return any(IMAGE.fullmatch(cell.lower()) for cell in cells) or any(map(names_image, names))


def names_image(cell: str) -> bool:
    """Whether a cell is the path of an image's file."""
    return is_image(cell.replace("\\", "/").rpartition("/")[2])


def json_lines(text: str, path: Path) -> tuple[list[str], list[Line]]:
    """Return the keys of JSON lines, and their values as lines of a table."""
    found: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(lines_of(text), start=1):
        if line.strip():
            content = parse_json(line, f"{path}, line {number}")
            if not isinstance(content, dict):
                raise DataError(
                    f"{path}, line {number}: expected an object with file_name and label, but got "
                    f"{shortened(line)!r}. Correct the line."
                )
            found.append((number, content))
    heading = list(dict.fromkeys(key for _, content in found for key in content))
    return heading, [Line(number, [cell_of(content.get(key)) for key in heading]) for number, content in found]


def cell_of(value: Any) -> Any:
    """Return a value of JSON as the text of a cell, or a list of them; None where it is neither.

    >>> cell_of(3.0), cell_of(True), cell_of(["owl", 2]), cell_of({"bbox": []})
    ('3', 'true', ['owl', '2'], None)
    """
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, (int, float)):
        whole = isinstance(value, float) and value.is_integer()
        return str(int(value)) if whole and abs(value) < 10**DIGITS else str(value)
    if isinstance(value, list):
        cells = [cell_of(each) for each in value]
        return cells if all(isinstance(cell, str) for cell in cells) else None
    return value.strip() if isinstance(value, str) else None


def with_heading(path: Path, heading: list[str], lines: list[Line]) -> LabelTable:
    """Return the table whose columns a heading names."""
    names = [str(name).lower() for name in heading]
    images = [place for place, name in enumerate(names) if IMAGE.fullmatch(name)]
    image = names.index("file_name") if "file_name" in names else (images[0] if images else 0)
    splits = [
        place for place, name in enumerate(names) if name in SPLIT and place != image and all_splits(lines, place)
    ]
    others = [place for place in range(len(names)) if place != image and names[place] and place not in splits[:1]]
    named = [place for place in others if LABEL.fullmatch(names[place])]
    flags = [place for place in others if all_flags(lines, place)]
    split = splits[0] if splits else None
    columns = [str(heading[place]) for place in others]
    if named or len(others) == 1 != len(flags):
        chosen = named or others
        words = " and ".join(repr(heading[place]) for place in chosen)
        return labelled(path, lines, image, chosen, split, f"images in {heading[image]!r}, labels in {words}")
    if flags and len(flags) == len(others):
        return flagged(path, lines, image, flags, columns, split, f"images in {heading[image]!r}, a column a class")
    raise DataError(
        f"{path} does not say which column holds the labels: it has {first_few([str(name) for name in heading], 12)}. "
        "Call it label (label_1, label_2, ... for several), or write 0 or 1 in a column for each class."
    )


def without_heading(path: Path, lines: list[Line], classes: Sequence[str] | None) -> LabelTable:
    """Return the table of lines that begin with an image and go on with its labels, or with 0 and 1 for each class."""
    width = max(len(line.cells) for line in lines)
    lines = [Line(line.number, line.cells + [""] * (width - len(line.cells))) for line in lines]
    if width == 1:
        raise DataError(f"{path}, line {lines[0].number}: there is no label behind the image. Write {EXPECTED}.")
    places = list(range(1, width))
    if width > 2 and all(all_flags(lines, place) for place in places):
        if classes is None or len(classes) != len(places):
            had = "" if classes is None else f", but classes= names {len(classes)}"
            raise DataError(
                f"{path} has {len(places)} columns of 0 and 1, and nothing says which classes they are{had}. Write a "
                "first line with their names (image,cat,dog,...), or give classes=[...] in this order."
            )
        return flagged(path, lines, 0, places, list(classes), None, "no heading, a column a class as classes= says")
    return labelled(path, lines, 0, places, None, "no heading, the image first, then its labels")


def all_flags(lines: Sequence[Line], place: int) -> bool:
    """Whether a column has nothing but 0, 1 and blanks, and not blanks alone."""
    cells = {str(line.cells[place]).lower() for line in lines}
    return cells <= {*PRESENT, *ABSENT} and cells != {""}


def all_splits(lines: Sequence[Line], place: int) -> bool:
    """Whether a column has nothing but names of splits."""
    return all(split_meant(str(line.cells[place])) in SPLITS for line in lines)


def labelled(
    path: Path, lines: Sequence[Line], image: int, places: Sequence[int], split: int | None, how: str
) -> LabelTable:
    """Return the table whose columns ``places`` hold names of classes."""
    spelled: dict[str, str] = {}  # a name may be there with accents of two kinds
    rows = []
    for line in lines:
        cells = [line.cells[place] for place in places]
        if any(cell is None for cell in cells):
            raise DataError(f"{path}, line {line.number}: a label should be a text, a number or a list of them.")
        labels = [label for cell in cells for label in (cell if isinstance(cell, list) else [cell]) if label]
        labels = [spelled.setdefault(composed(label), label) for label in labels]
        rows.append(row_of(path, line, image, tuple(dict.fromkeys(labels)), split))
    classes = sorted(set(spelled.values()), key=number_first)
    several = any(len(row.labels) > 1 for row in rows)
    return LabelTable(path, rows, checked_count(path, classes), several, split is not None, how)


def flagged(
    path: Path,
    lines: Sequence[Line],
    image: int,
    places: Sequence[int],
    names: Sequence[str],
    split: int | None,
    how: str,
) -> LabelTable:
    """Return the table whose columns ``places`` are classes, with 1 where an image shows one."""
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice:
        raise DataError(f"{path} has two columns {twice[0]!r}. Name each class once.")
    rows = []
    for line in lines:
        shown = [str(line.cells[place]).lower() in PRESENT for place in places]
        labels = tuple(name for name, there in zip(names, shown, strict=True) if there)
        rows.append(row_of(path, line, image, labels, split))
    several = any(len(row.labels) != 1 for row in rows)
    return LabelTable(path, rows, checked_count(path, names), several, split is not None, how)


def row_of(path: Path, line: Line, image: int, labels: tuple[str, ...], split: int | None) -> LabelRow:
    """Return what a line says.

    Raises:
        DataError: it names no image.
    """
    name = line.cells[image]
    if not isinstance(name, str) or not name or "\0" in name:
        raise DataError(f"{path}, line {line.number}: there is no name of an image. Write {EXPECTED}.")
    return LabelRow(name, labels, "" if split is None else split_meant(line.cells[split]), line.number)


def number_first(name: str) -> tuple[int, float, str]:
    """Return what sorts names of classes: numbers by their size, then other names.

    >>> sorted(["10", "9", "owl"], key=number_first)
    ['9', '10', 'owl']
    """
    number = name.isdecimal() and len(name) < DIGITS
    return (0, int(name), name) if number else (1, 0, name)


def checked_count(path: Path, classes: Sequence[str]) -> Sequence[str]:
    """Return the classes of a table.

    Raises:
        DataError: there is none, or more than any list of classes has.
    """
    if not classes:
        raise DataError(f"No image of {path} has a label. Write {EXPECTED}.")
    if len(classes) > MOST_CLASSES:
        raise DataError(f"{path} has {len(classes)} classes, and no more than {MOST_CLASSES} are read.")
    return classes
