"""Boxes as YOLO files: fractions of the image, classes counted from 0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.formats.writer import LabelNames, Writer

__all__ = ["YoloWriter", "yolo_line"]


class YoloWriter(Writer):
    """``yolo/``: labels as ``class cx cy w h`` in fractions of the image, links to the images, and ``data.yaml``.

    Images without a box are left out: an empty label file would teach a detector that nothing is there.
    """

    outputs = ("yolo",)

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any]) -> None:
        super().__init__(folder, classes, about)
        self._names = LabelNames()
        root = self.draft("yolo")
        (root / "labels").mkdir(parents=True)
        (root / "images").mkdir()
        (root / "classes.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
        names = "".join(f"  {index}: {json.dumps(name, ensure_ascii=False)}\n" for index, name in enumerate(classes))
        (root / "data.yaml").write_text(
            "# Boxes found by wsolkit. val holds the training images: put images with checked boxes there.\n"
            f"train: images\nval: images\nnc: {len(self.classes)}\nnames:\n{names}",
            encoding="utf-8",
        )

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image's labels and a link to the image."""
        if isinstance(result, Failure) or not result.boxes:
            return
        name = self._names.of(result.image_id)
        width, height = result.size
        labels = self.draft("yolo") / "labels" / f"{name}.txt"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text("".join(yolo_line(found, width, height) for found in result.boxes), encoding="utf-8")
        if result.path:
            link = self.draft("yolo") / "images" / f"{name}{PurePosixPath(result.image_id).suffix}"
            link.parent.mkdir(parents=True, exist_ok=True)
            try:
                link.symlink_to(result.path)
            except OSError:  # a file system without links: the user puts the images there
                return

    def close(self) -> None:
        """Nothing is left to do."""


def yolo_line(found: FoundBox, width: int, height: int) -> str:
    """Return a box as a line in YOLO's form.

    >>> yolo_line(FoundBox((0, 0, 50, 50), 2, "cat", 1, 1), 100, 200).strip()
    '2 0.250000 0.125000 0.500000 0.250000'
    """
    x0, y0, x1, y1 = found.box
    numbers = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
    return " ".join([str(found.class_index), *(f"{number:.6f}" for number in numbers)]) + "\n"
