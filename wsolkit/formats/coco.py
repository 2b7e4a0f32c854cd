"""Boxes as COCO files; categories and images are counted from 1."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.writer import Writer

__all__ = ["CocoWriter"]


class CocoWriter(Writer):
    """``boxes.json``, COCO's results list, and ``dataset.json``, the same boxes as a data set to train on."""

    outputs = ("boxes.json", "dataset.json")

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any]) -> None:
        super().__init__(folder, classes, about)
        self._number = 0
        self._files = ExitStack()
        self._results = _List(self._files.enter_context(self.draft("boxes.json").open("w", encoding="utf-8")))
        self._images = _List(self._files.enter_context(self.draft("dataset.json").open("w", encoding="utf-8")))
        self._images.file.write(f'{{"info": {json.dumps({"description": "Boxes found by wsolkit", **self.about})},\n')
        self._images.file.write('"images": ')
        self._later = folder / ".annotations.draft"
        self._annotations = _List(self._files.enter_context(self._later.open("w+", encoding="utf-8")))

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image and its boxes."""
        self._number += 1
        if isinstance(result, Failure):
            return
        width, height = result.size
        self._images.add({"id": self._number, "file_name": result.image_id, "width": width, "height": height})
        for found in result.boxes:
            x0, y0, x1, y1 = found.box
            place = {
                "image_id": self._number,
                "category_id": found.class_index + 1,
                "bbox": [round(x0, 2), round(y0, 2), round(x1 - x0, 2), round(y1 - y0, 2)],
            }
            scores = {"score": found.score, "map_score": found.map_score}
            self._results.add(place | scores)
            area = round((x1 - x0) * (y1 - y0), 2)
            self._annotations.add({"id": self._annotations.count + 1, **place, "area": area, "iscrowd": 0, **scores})

    def close(self) -> None:
        """Put the annotations and the categories behind the images."""
        for each in (self._results, self._images, self._annotations):
            each.end()
        categories = [{"id": index + 1, "name": name, "supercategory": ""} for index, name in enumerate(self.classes)]
        self._annotations.file.seek(0)
        self._images.file.write(',\n"annotations": ')
        shutil.copyfileobj(self._annotations.file, self._images.file)
        self._images.file.write(f',\n"categories": {json.dumps(categories)}}}\n')
        self._files.close()
        self._later.unlink()

    def __exit__(self, *error: Any) -> None:
        self._files.close()
        self._later.unlink(missing_ok=True)
        super().__exit__(*error)


class _List:
    """A JSON list that is written item by item."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.count = 0

    def add(self, item: Mapping[str, Any]) -> None:
        self.file.write(("," if self.count else "[") + "\n" + json.dumps(item))
        self.count += 1

    def end(self) -> None:
        self.file.write("\n]" if self.count else "[]")
