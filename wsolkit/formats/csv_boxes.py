"""Boxes as a table, read and written: a line for each box; and the lists of images that have none."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wsolkit.errors import DataError
from wsolkit.formats.checked_boxes import checked_box
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.text_lists import malformed
from wsolkit.formats.writer import Writer, remove
from wsolkit.text_files import read_text

__all__ = ["CsvBox", "CsvWriter", "ListsWriter", "plain", "read_csv_boxes", "readable"]

COLUMNS = "path,x0,y0,x1,y1[,class]"
SIDES = ("x0", "y0", "x1", "y1")
HEADING = "image_id width height class score map_score x0 y0 x1 y1 doubt"


class CsvBox(NamedTuple):
    """A line of a table: the image's name, the box x0, y0, x1, y1, half open, the class or None, and the line."""

    image: str
    box: tuple[float, float, float, float]
    class_name: str | None
    line: int


def read_csv_boxes(path: str | Path) -> list[CsvBox]:
    """Return the boxes of a CSV file.

    A heading that names ``x0``, ``y0``, ``x1`` and ``y1`` says where the columns are, as in ``boxes.csv``: the image's
    name is ``image_id``, ``path`` or the first one, the class ``class``. Without one, or where these four come second
    to fifth, a line is ``path,x0,y0,x1,y1[,class]``.

    Raises:
        DataError: the file is missing, a line is malformed, or a box is in no image.
    """
    text = read_text(path, "Boxes", keep=True)
    rows = csv.reader(io.StringIO(text, newline=""))
    columns = {name: place for place, name in enumerate(("path", *SIDES, "class"))}
    expected, fewest = COLUMNS, 5
    found = []
    for row in readable(rows, path, COLUMNS):
        number, cells = rows.line_num, [plain(cell.strip(" \t")) for cell in row]
        if not any(cells):
            continue
        if set(SIDES) <= set(cells):
            if cells[1:5] != list(SIDES):
                columns, expected, fewest = {name: place for place, name in enumerate(cells)}, ",".join(cells), len(row)
            continue
        try:
            if not fewest <= len(cells) <= len(columns):
                raise ValueError
            x0, y0, x1, y1 = (float(cells[columns[side]]) for side in SIDES)
        except ValueError:
            raise malformed(path, number, ",".join(row), expected) from None
        name = cells[columns.get("image_id", columns.get("path", 0))]
        place = columns.get("class", len(cells))
        checked_box((x0, y0, x1, y1), f"{path}, line {number}")
        found.append(CsvBox(name, (x0, y0, x1, y1), cells[place] or None if place < len(cells) else None, number))
    return found


def readable(rows: Iterator[list[str]], path: str | Path, expected: str) -> Iterator[list[str]]:
    """Yield the rows of a table.

    Raises:
        DataError: what the file holds is no table.
    """
    try:
        yield from rows
    except csv.Error as error:
        raise DataError(f"{path} is no table: {error}. Write {expected}.") from error


class CsvWriter(Writer):
    """``boxes.csv``: one line for each box; ``doubt`` is empty where nobody has asked."""

    outputs = ("boxes.csv",)

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any], export: Export = PLAIN) -> None:
        super().__init__(folder, classes, about, export)
        self._table = Table(self.draft("boxes.csv"), HEADING)

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image's boxes."""
        if isinstance(result, ImageResult):
            for found in result.boxes:
                scores = (found.class_name, found.score, found.map_score)
                self._table.add([result.image_id, *result.size, *scores, *found.box, found.doubt])

    def close(self) -> None:
        """Complete the table."""
        self._table.file.close()


class ListsWriter(Writer):
    """``failed.csv``, the images that could not be read, and ``without_box.csv``, those in which nothing was found.

    ``rejected.csv`` lists those whose boxes a person has rejected; it is there only where there are any.

    Attributes:
        images: how many images were read.
        failed: how many were not.
        without_box: how many were read and have no box.
        rejected: how many were read and have boxes that were rejected.
        boxes: how many boxes were found, without those that were rejected.
        first_reason: why the first of the unreadable images could not be read.
    """

    outputs = ("failed.csv", "without_box.csv", "rejected.csv")

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any], export: Export = PLAIN) -> None:
        super().__init__(folder, classes, about, export)
        self.images = self.failed = self.without_box = self.rejected = self.boxes = 0
        self.first_reason = ""
        self._failed = Table(self.draft("failed.csv"), "image_id path reason")
        self._without = Table(self.draft("without_box.csv"), "image_id path likeliest_class probability")
        self._rejected = Table(self.draft("rejected.csv"), "image_id path")

    def add(self, result: ImageResult | Failure) -> None:
        """Count an image, and list it if it has no box."""
        if isinstance(result, Failure):
            self.failed += 1
            self.first_reason = self.first_reason or result.reason
            self._failed.add(result)
            return
        self.images += 1
        if result.refused:
            self.rejected += 1
            self._rejected.add([result.image_id, result.path])
            return
        self.boxes += len(result.boxes)
        if not result.boxes:
            self.without_box += 1
            top: list[Any] = [(self.classes[index], probability) for index, probability in result.top[:1]]
            self._without.add([result.image_id, result.path, *(top[0] if top else ("", ""))])

    def close(self) -> None:
        """Complete the lists."""
        for table in (self._failed, self._without, self._rejected):
            table.file.close()

    def publish(self) -> list[Path]:
        """Give the lists their names and return them; one of rejected images that is empty is none."""
        paths = super().publish()
        if not self.rejected:
            remove(paths.pop())
        return paths


class Table:
    """A CSV file with a header."""

    def __init__(self, path: Path, header: str) -> None:
        self.file = path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        self._rows = csv.writer(self.file, lineterminator="\n")
        self._rows.writerow(header.split())

    def add(self, cells: Iterable[Any]) -> None:
        """Write a line; text that a spreadsheet would take for a formula is written so that it is none."""
        self._rows.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])


FORMULA = re.compile("'*[=+@\t\r-]")
"""Text that a spreadsheet would run as a formula, or that stands for such text in a file of ours."""


def harmless(cell: str) -> str:
    """Return a cell with an apostrophe before it where a spreadsheet would take it for a formula.

    >>> harmless("=1+1"), harmless("a.jpg"), plain(harmless("=1+1"))
    ("'=1+1", 'a.jpg', '=1+1')
    """
    return f"'{cell}" if FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """Return a cell as it was before ``harmless``."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
