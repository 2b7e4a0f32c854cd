"""Boxes as a table, read and written: a line for each box; and the lists of images that have none."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wsolkit.errors import DataError
from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.text_lists import malformed
from wsolkit.formats.writer import Writer

__all__ = ["CsvBox", "CsvWriter", "ListsWriter", "read_csv_boxes"]

COLUMNS = "path,x0,y0,x1,y1[,class]"
SIDES = ("x0", "y0", "x1", "y1")
HEADING = "image_id width height class score map_score x0 y0 x1 y1"


class CsvBox(NamedTuple):
    """A line of a table: the image's name, the box x0, y0, x1, y1, half open, the class or None, and the line."""

    image: str
    box: tuple[float, float, float, float]
    class_name: str | None
    line: int


def read_csv_boxes(path: str | Path) -> Iterator[CsvBox]:
    """Yield the boxes of a CSV file.

    A heading that names ``x0``, ``y0``, ``x1`` and ``y1`` says where the columns are, as in ``boxes.csv``: the image's
    name is ``image_id``, ``path`` or the first one, the class ``class``. Without one, or where these four come second
    to fifth, a line is ``path,x0,y0,x1,y1[,class]``.

    Raises:
        DataError: the file is missing or a line is malformed.
    """
    try:
        rows = csv.reader(Path(path).read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines())
    except OSError as error:
        raise DataError(f"Boxes {path} cannot be opened: {error.strerror or error}. Check the path.") from error
    columns = {name: place for place, name in enumerate(("path", *SIDES, "class"))}
    expected, fewest = COLUMNS, 5
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row]
        if not cells:
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
        if not all(map(math.isfinite, (x0, y0, x1, y1))):
            raise malformed(path, number, ",".join(row), expected)
        name = cells[columns.get("image_id", columns.get("path", 0))]
        place = columns.get("class", len(cells))
        yield CsvBox(name, (x0, y0, x1, y1), cells[place] or None if place < len(cells) else None, number)


class CsvWriter(Writer):
    """``boxes.csv``: one line for each box."""

    outputs = ("boxes.csv",)

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any]) -> None:
        super().__init__(folder, classes, about)
        self._table = Table(self.draft("boxes.csv"), HEADING)

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image's boxes."""
        if isinstance(result, ImageResult):
            for found in result.boxes:
                scores = (found.class_name, found.score, found.map_score)
                self._table.rows.writerow([result.image_id, *result.size, *scores, *found.box])

    def close(self) -> None:
        """Complete the table."""
        self._table.file.close()


class ListsWriter(Writer):
    """``failed.csv``, the images that could not be read, and ``without_box.csv``, those in which nothing was found.

    Attributes:
        images: how many images were read.
        failed: how many were not.
        without_box: how many were read and have no box.
        boxes: how many boxes were found.
        first_reason: why the first of the unreadable images could not be read.
    """

    outputs = ("failed.csv", "without_box.csv")

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any]) -> None:
        super().__init__(folder, classes, about)
        self.images = self.failed = self.without_box = self.boxes = 0
        self.first_reason = ""
        self._failed = Table(self.draft("failed.csv"), "image_id path reason")
        self._without = Table(self.draft("without_box.csv"), "image_id path likeliest_class probability")

    def add(self, result: ImageResult | Failure) -> None:
        """Count an image, and list it if it has no box."""
        if isinstance(result, Failure):
            self.failed += 1
            self.first_reason = self.first_reason or result.reason
            self._failed.rows.writerow(result)
            return
        self.images += 1
        self.boxes += len(result.boxes)
        if not result.boxes:
            self.without_box += 1
            top: list[Any] = [(self.classes[index], probability) for index, probability in result.top[:1]]
            self._without.rows.writerow([result.image_id, result.path, *(top[0] if top else ("", ""))])

    def close(self) -> None:
        """Complete the lists."""
        self._failed.file.close()
        self._without.file.close()


class Table:
    """A CSV file with a header."""

    def __init__(self, path: Path, header: str) -> None:
        self.file = path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        self.rows = csv.writer(self.file, lineterminator="\n")
        self.rows.writerow(header.split())
