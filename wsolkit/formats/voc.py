"""Boxes as Pascal VOC files: whole pixels counted from 1, both ends inside the box."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.writer import LabelNames, Writer

__all__ = ["VocWriter", "voc_xml"]


class VocWriter(Writer):
    """``voc/``: an XML file for each image, and lists of the images and the classes."""

    outputs = ("voc",)

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any]) -> None:
        super().__init__(folder, classes, about)
        self._names = LabelNames()
        lists = self.draft("voc") / "ImageSets" / "Main"
        lists.mkdir(parents=True)
        (self.draft("voc") / "classes.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
        self._list = (lists / "train.txt").open("w", encoding="utf-8", errors="surrogateescape")

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image's XML file."""
        if isinstance(result, Failure):
            return
        name = self._names.of(result.image_id)
        path = self.draft("voc") / "Annotations" / f"{name}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(voc_xml(result))
        self._list.write(f"{name}\n")

    def close(self) -> None:
        """Complete the list."""
        (self.draft("voc") / "Annotations").mkdir(exist_ok=True)
        self._list.close()

    def __exit__(self, *error: Any) -> None:
        self._list.close()
        super().__exit__(*error)


def voc_xml(result: ImageResult) -> bytes:
    """Return the VOC annotation of an image.

    >>> from wsolkit.formats.found_boxes import FoundBox
    >>> found = FoundBox((0.0, 1.5, 4.0, 3.0), 0, "cat", 0.9, 0.5)
    >>> b"<ymin>2</ymin>" in voc_xml(ImageResult("a.jpg", "", (8, 6), [found]))
    True
    """
    width, height = result.size
    path = PurePosixPath(result.image_id)
    root = ElementTree.Element("annotation")
    fill(root, {"folder": str(path.parent), "filename": path.name, "source": {"database": "wsolkit"}})
    fill(root, {"size": {"width": width, "height": height, "depth": 3}, "segmented": 0})
    for found in result.boxes:
        x0, y0, x1, y1 = found.box
        inside = {
            "xmin": math.floor(x0) + 1,
            "ymin": math.floor(y0) + 1,
            "xmax": min(math.ceil(x1), width),
            "ymax": min(math.ceil(y1), height),
        }
        content = {"name": found.class_name, "pose": "Unspecified", "truncated": 0, "difficult": 0, "bndbox": inside}
        fill(root, {"object": content | {"score": found.score, "map_score": found.map_score}})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8") + b"\n"


def fill(parent: ElementTree.Element, content: Mapping[str, Any]) -> None:
    """Add elements to an XML element; characters that XML does not allow become ``?``."""
    for name, value in content.items():
        element = ElementTree.SubElement(parent, name)
        if isinstance(value, Mapping):
            fill(element, value)
        else:
            element.text = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", str(value))
