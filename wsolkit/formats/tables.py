"""Results as tables: a line for each box, and the lists of images that have none."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.writer import Writer

__all__ = ["CsvWriter", "ListsWriter"]


class CsvWriter(Writer):
    """``boxes.csv``: one line for each box."""

    outputs = ("boxes.csv",)

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any]) -> None:
        super().__init__(folder, classes, about)
        self._table = Table(self.draft("boxes.csv"), "image_id width height class score map_score x0 y0 x1 y1")

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
