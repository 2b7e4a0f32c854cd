"""PASCAL VOC's annotation files, read and written: whole pixels counted from 1, both ends inside the box."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from xml.etree import ElementTree

from wsolkit.errors import DataError
from wsolkit.files import path_below
from wsolkit.formats.checked_boxes import checked_box, checked_size
from wsolkit.formats.export import PLAIN, Export, put_image, split_names
from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.text_lists import write_lines
from wsolkit.formats.writer import LabelNames, Writer
from wsolkit.formats.xml_files import fill, read_xml

__all__ = [
    "VocObject",
    "VocWriter",
    "half_open",
    "image_size",
    "inclusive",
    "object_boxes",
    "object_names",
    "read_annotation",
    "voc_xml",
    "warn_of_zeros",
]

SIDES = ("xmin", "ymin", "xmax", "ymax")


def inclusive(box: Sequence[float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return xmin, ymin, xmax, ymax of the pixels that a half-open box touches, counted from 1, within (width, height).

    >>> inclusive((0.0, 1.5, 4.0, 3.0), (8, 6))
    (1, 2, 4, 3)
    """
    x0, y0, x1, y1 = box
    return math.floor(x0) + 1, math.floor(y0) + 1, min(math.ceil(x1), size[0]), min(math.ceil(y1), size[1])


def half_open(sides: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the box x0, y0, x1, y1, half open from 0, of xmin, ymin, xmax, ymax.

    A side at 0, which there is not where pixels count from 1, is the edge of the image: many tools write it.

    >>> half_open((1, 2, 4, 3)), half_open((0, 0.5, 4, 3))
    ((0, 1, 4, 3), (0, 0, 4, 3))
    """
    xmin, ymin, xmax, ymax = sides
    x0, y0 = (0 if 0 <= side < 1 else side - 1 for side in (xmin, ymin))
    return x0, y0, xmax, ymax


class VocObject(NamedTuple):
    """One annotated object: its class name, whether it is marked difficult, and its box (x0, y0, x1, y1) half open.

    ``from_zero`` is whether its file has a side at 0, although VOC counts pixels from 1.
    """

    name: str
    difficult: bool
    box: tuple[float, float, float, float]
    from_zero: bool = False


def warn_of_zeros(objects: Iterable[VocObject], where: str | Path) -> None:
    """Warn where boxes of a data set begin at 0: they are read as beginning at the image's edge."""
    found = [each.from_zero for each in objects]
    if any(found):
        warnings.warn(
            f"{sum(found)} of {len(found)} boxes in {where} begin at 0, where VOC counts pixels from 1: they are read "
            "as beginning at the edge of the image. If the tool counted all pixels from 0, boxes lie one pixel off.",
            stacklevel=3,
        )


def read_annotation(path: str | Path) -> ElementTree.Element:
    """Return the root of an annotation file, its names without namespaces.

    Raises:
        DataError: the file is missing, no XML or no annotation, or in an unknown encoding.
    """
    root = read_xml(path, f"Annotation {path}")
    if root.tag.lower() != "annotation" and root.find("object") is None:
        raise DataError(
            f"Annotation {path} holds <{root.tag}> instead of <annotation>: it is in another format. Convert it."
        )
    return root


def object_names(path: str | Path) -> list[tuple[str, bool]]:
    """Return (class name, difficult) of each object; the boxes are not looked at.

    Raises:
        DataError: the file is missing or no XML, or an object has no name.
    """
    return names_of(read_annotation(path), path)


def names_of(root: ElementTree.Element, path: str | Path) -> list[tuple[str, bool]]:
    """Return (class name, difficult) of each object below the root of an annotation file."""
    found = []
    for element in root.findall("object"):
        name = (element.findtext("name") or "").strip()
        if not name:
            raise DataError(f"Annotation {path} has an object without a name. Give it one.")
        found.append((name, (element.findtext("difficult") or "0").strip() == "1"))
    return found


def object_boxes(path: str | Path) -> list[VocObject]:
    """Return the objects with their boxes, half open.

    Raises:
        DataError: the file is missing or no XML, or an object's name or box is missing or no box of an image.
    """
    root = read_annotation(path)
    found = []
    for (name, difficult), element in zip(names_of(root, path), root.findall("object"), strict=True):
        corners = [element.findtext(f"bndbox/{key}") for key in SIDES]
        try:
            sides = [float(corner or "nothing") for corner in corners]
        except ValueError:
            raise DataError(
                f"Annotation {path}: the bndbox of a {name!r} should have the numbers xmin, ymin, xmax and ymax, "
                f"but got {corners}. Correct the file."
            ) from None
        box = half_open(sides)
        checked_box(box, f"Annotation {path}")
        found.append(VocObject(name, difficult, box, any(0 <= side < 1 for side in sides[:2])))
    return found


def image_size(path: str | Path) -> tuple[int, int] | None:
    """Return the (width, height) an annotation file states, or None where it states none or zero.

    Raises:
        DataError: the file is missing or no XML, or the size is no number.
    """
    root = read_annotation(path)
    texts = [root.findtext(f"size/{key}") or "0" for key in ("width", "height")]
    try:
        width, height = (float(text) for text in texts)
    except ValueError:
        raise DataError(f"Annotation {path}: the size should be two numbers, but got {texts}. Correct it.") from None
    return checked_size(width, height, f"Annotation {path}")


class VocWriter(Writer):
    """``voc/``: an XML file for each image, the images themselves, and lists of the images and the classes.

    Images are links, or copies, in ``JPEGImages``; they all end in ``.jpg``, as programs that read VOC expect, which
    tell the kind of an image by its content. ``ImageSets/Main`` has ``train``, ``val`` and ``trainval``.
    """

    outputs = ("voc",)

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any], export: Export = PLAIN) -> None:
        super().__init__(folder, classes, about, export)
        self._names = LabelNames()
        self._listed: list[str] = []
        for name in ("Annotations", "JPEGImages"):
            (self.draft("voc") / name).mkdir(parents=True)
        write_lines(self.draft("voc") / "classes.txt", classes)

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image's XML file, and the image or a link to it."""
        if isinstance(result, Failure):
            return
        name = self._names.of(result.image_id)
        path = path_below(self.draft("voc") / "Annotations", name, ".xml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(voc_xml(result))
        self._listed.append(name)
        if result.path:
            image = path_below(self.draft("voc") / "JPEGImages", name, ".jpg")
            put_image(result.path, image, self.export.copy_images)

    def close(self) -> None:
        """Divide the images and write their lists."""
        split = split_names(self._listed, self.export.val_share)
        for name, listed in (("train", split.train), ("val", split.val), ("trainval", self._listed)):
            write_lines(self.draft("voc") / "ImageSets" / "Main" / f"{name}.txt", listed)


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
        inside = dict(zip(SIDES, inclusive(found.box, result.size), strict=True))
        content = {"name": found.class_name, "pose": "Unspecified", "truncated": 0, "difficult": 0, "bndbox": inside}
        doubt = {} if found.doubt is None else {"doubt": round(found.doubt, 6)}
        fill(root, {"object": content | {"score": found.score, "map_score": found.map_score} | doubt})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8") + b"\n"
