"""Reads PASCAL VOC annotation files, whose boxes are 1-based and inclusive, as half-open boxes from 0."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from wsolkit.errors import DataError

__all__ = ["VocObject", "image_size", "object_boxes", "object_names", "read_annotation"]


class VocObject(NamedTuple):
    """One annotated object: its class name, whether it is marked difficult, and its box (x0, y0, x1, y1) half open."""

    name: str
    difficult: bool
    box: tuple[float, float, float, float]


def read_annotation(path: str | Path) -> ElementTree.Element:
    """Return the root of an annotation file.

    Raises:
        DataError: the file is missing or no XML.
    """
    try:
        return ElementTree.parse(path).getroot()
    except OSError as error:
        raise DataError(f"Annotation {path} cannot be opened: {error.strerror or error}. Check data_root.") from error
    except ElementTree.ParseError as error:
        raise DataError(f"Annotation {path} is no XML: {error}. Correct the file.") from error


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
    """Return the objects with their boxes: x0 = xmin - 1, y0 = ymin - 1, x1 = xmax, y1 = ymax.

    Raises:
        DataError: the file is missing or no XML, or an object's name or box is missing or no number.
    """
    root = read_annotation(path)
    found = []
    for (name, difficult), element in zip(names_of(root, path), root.findall("object"), strict=True):
        corners = [element.findtext(f"bndbox/{key}") for key in ("xmin", "ymin", "xmax", "ymax")]
        try:
            x0, y0, x1, y1 = (float(corner or "nothing") for corner in corners)
        except ValueError:
            raise DataError(
                f"Annotation {path}: the bndbox of a {name!r} should have the numbers xmin, ymin, xmax and ymax, "
                f"but got {corners}. Correct the file."
            ) from None
        found.append(VocObject(name, difficult, (x0 - 1, y0 - 1, x1, y1)))
    return found


def image_size(path: str | Path) -> tuple[int, int] | None:
    """Return the (width, height) an annotation file states, or None where it states none or zero.

    Raises:
        DataError: the file is missing or no XML, or the size is no number.
    """
    root = read_annotation(path)
    texts = [root.findtext(f"size/{key}") or "0" for key in ("width", "height")]
    try:
        width, height = (int(float(text)) for text in texts)
    except ValueError:
        raise DataError(f"Annotation {path}: the size should be two numbers, but got {texts}. Correct it.") from None
    return (width, height) if width > 0 and height > 0 else None
