"""YOLO's label files, read and written: centre and size of boxes in fractions of the image, classes counted from 0."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml

from wsolkit.errors import DataError
from wsolkit.files import path_below
from wsolkit.formats.export import PLAIN, Export, put_image, split_names
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.formats.found_masks import polygons
from wsolkit.formats.text_lists import malformed, numbered_lines, read_class_names, whole_number, write_lines
from wsolkit.formats.writer import LabelNames, Writer
from wsolkit.text_files import read_text

__all__ = [
    "YoloBox",
    "YoloSegWriter",
    "YoloWriter",
    "outline_line",
    "read_labels",
    "read_names",
    "yolo_line",
    "yolo_name",
]

LINE = "class cx cy w h"


class YoloBox(NamedTuple):
    """A box of a label file: its class, and x0, y0, x1, y1, half open, in pixels of the image."""

    label: int
    box: tuple[float, float, float, float]


def yolo_line(label: int, box: Sequence[float], size: tuple[int, int]) -> str:
    """Return a half-open box in an image of ``size`` = (width, height) as a line in YOLO's form.

    >>> yolo_line(2, (0, 0, 50, 50), (100, 200))
    '2 0.250000 0.125000 0.500000 0.250000'
    """
    x0, y0, x1, y1 = box
    width, height = size
    numbers = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
    return " ".join([str(label), *(f"{number:.6f}" for number in numbers)])


def outline_line(label: int, polygon: Sequence[float], size: tuple[int, int]) -> str:
    """Return a polygon x, y, x, y, ... in an image of ``size`` = (width, height) as a line in YOLO's form.

    >>> outline_line(2, [0, 0, 50, 0, 50, 50], (100, 200))
    '2 0.000000 0.000000 0.500000 0.000000 0.500000 0.250000'
    """
    return " ".join([str(label), *(f"{side / size[place % 2]:.6f}" for place, side in enumerate(polygon))])


def read_labels(path: str | Path, size: tuple[int, int], classes: Sequence[str]) -> list[YoloBox]:
    """Return the boxes of a label file, half open, in pixels of an image of ``size`` = (width, height).

    A sixth number, a detector's score, is left out; of an outline ``class x y x y x y ...`` the box around it is read.

    Raises:
        DataError: the file is missing, a line is malformed, a class is none of ``classes``, or a box leaves the image.
    """
    width, height = size
    found = []
    for number, line in numbered_lines(path):
        label, *texts = line.split()
        try:
            outlined = len(texts) >= 6 and len(texts) % 2 == 0
            numbers = [float(text) for text in (texts[:4] if len(texts) == 5 else texts)]
            cx, cy, w, h = around(numbers) if outlined else numbers
        except ValueError:
            raise malformed(path, number, line, LINE) from None
        if not all(0 <= side <= 1 for side in (cx, cy, w, h)):
            raise DataError(
                f"{path}, line {number}: the centre and size of a box should be fractions of the image, in [0, 1], but "
                f"got {line!r}. Correct the line."
            )
        sides = ((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height)
        box = whole_pixels(sides, max(size) * 10.0 ** -max(len(text.partition(".")[2]) for text in texts[:4]))
        found.append(YoloBox(whole_number(path, number, label, "class", range(len(classes))), box))
    return found


def around(polygon: Sequence[float]) -> tuple[float, float, float, float]:
    """Return centre and size of the box around x, y, x, y, ....

    >>> around([0, 0, 0.5, 0, 0.5, 0.25])
    (0.25, 0.125, 0.5, 0.25)
    """
    xs, ys = polygon[::2], polygon[1::2]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    return (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0


def whole_pixels(sides: tuple[float, float, float, float], unit: float) -> tuple[float, float, float, float]:
    """Return sides as whole pixels where they may have been such before they were rounded to fractions.

    Otherwise a protocol that cuts off what is behind the point would lose a whole pixel.

    Args:
        sides: x0, y0, x1, y1 in pixels.
        unit: the last digit of the fractions, in pixels; from a tenth of a pixel on nothing can be told, and below a
            millionth numbers are not exact.

    >>> whole_pixels((10.0, 4.999995, 20.5, 14.999985), unit=4e-5)
    (10.0, 5.0, 20.5, 15.0)
    """
    if unit >= 0.1:
        return sides
    x0, y0, x1, y1 = (round(side) if abs(side - round(side)) <= max(unit, 1e-6) else side for side in sides)
    return float(x0), float(y0), float(x1), float(y1)


def read_names(folder: str | Path) -> list[str]:
    """Return the class names that ``data.yaml`` (``names``) or ``classes.txt`` of a YOLO folder lists, by index.

    Raises:
        DataError: neither is there, or what is there lists no names.
    """
    file, text_list = Path(folder) / "data.yaml", Path(folder) / "classes.txt"
    if not file.exists():
        if not text_list.exists():
            raise DataError(f"There is neither data.yaml nor classes.txt in {folder}. Name the classes in one of them.")
        return read_class_names(text_list)
    try:
        content = yaml.safe_load(read_text(file))
    except RecursionError:
        raise DataError(f"File {file} is nested too deeply to be read. Correct the file.") from None
    except (ValueError, yaml.YAMLError) as error:
        raise DataError(f"{file} cannot be read as YAML: {' '.join(str(error).split())}. Correct the file.") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    numbered = {str(number): name for number, name in names.items()} if isinstance(names, dict) else {}
    labels = [str(label) for label in range(len(numbered))]
    plain = all(isinstance(name, (str, int, float)) for name in numbered.values())
    if not numbered or not plain or set(numbered) != set(labels):
        shown = reprlib.repr(names)
        raise DataError(f"{file} should list the classes under names:, numbered from 0, but has {shown}. Add them.")
    return [str(numbered[label]) for label in labels]


class YoloWriter(Writer):
    """``yolo/``: labels as ``class cx cy w h`` in fractions of the image, the images beside them, and ``data.yaml``.

    ``train.txt`` and ``val.txt`` list the images, relative to the folder, which may be moved: wholly with copies of the
    images, together with the photographs with links to them. Images without a box are left out: an empty label file
    would teach a detector that nothing is there.
    """

    outputs = ("yolo",)

    def __init__(self, folder: Path, classes: Sequence[str], about: Mapping[str, Any], export: Export = PLAIN) -> None:
        super().__init__(folder, classes, about, export)
        self._names = LabelNames()
        self._listed: dict[str, str] = {}
        self._all_listed = True
        root = self.draft(self.outputs[0])
        (root / "labels").mkdir(parents=True)
        (root / "images").mkdir()
        write_lines(root / "classes.txt", classes)

    def add(self, result: ImageResult | Failure) -> None:
        """Write an image's labels, and the image or a link to it."""
        if isinstance(result, Failure) or not result.boxes:
            return
        own = self._names.of(result.image_id)
        name = yolo_name(own)
        lines = [self.line(found, result.size) + "\n" for found in result.boxes]
        labels = path_below(self.draft(self.outputs[0]) / "labels", name, ".txt")
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text("".join(lines), encoding="utf-8")
        suffix = PurePosixPath(result.path or result.image_id).suffix
        image = path_below(self.draft(self.outputs[0]) / "images", name, suffix)
        self._all_listed &= bool(suffix)
        self._listed[own] = f"./{image.relative_to(self.draft(self.outputs[0])).as_posix()}"
        if result.path:
            put_image(result.path, image, self.export.copy_images)

    def line(self, found: FoundBox, size: tuple[int, int]) -> str:
        """Return the line of a box in an image of ``size`` = (width, height)."""
        return yolo_line(found.class_index, found.box, size)

    def close(self) -> None:
        """Divide the images, and write their lists and ``data.yaml``."""
        root = self.draft(self.outputs[0])
        if self._all_listed:
            split = split_names(list(self._listed), self.export.val_share)
            places = {"train": "train.txt", "val": "val.txt"}
            for place, names in zip(places.values(), split[:2], strict=True):
                write_lines(root / place, [self._listed[name] for name in names])
            words = f"{split.words}; their boxes were found too, so put images with checked boxes there."
        else:
            places = {"train": "images", "val": "images"}
            words = "val is train: put the images into images/, and images with checked boxes elsewhere."
        classes = "".join(f"  {k}: {json.dumps(name, ensure_ascii=False)}\n" for k, name in enumerate(self.classes))
        (root / "data.yaml").write_text(
            f"# Boxes found by wsolkit. {words}\n"
            f"train: {places['train']}\nval: {places['val']}\nnc: {len(self.classes)}\nnames:\n{classes}",
            encoding="utf-8",
            errors="backslashreplace",  # the escape that YAML and JSON have for bytes that are no text
        )


class YoloSegWriter(YoloWriter):
    """``yolo-seg/``: the same with outlines, ``class x y x y ...``: of the mask's largest piece, or else of the box."""

    outputs = ("yolo-seg",)
    needs_masks = True

    def line(self, found: FoundBox, size: tuple[int, int]) -> str:
        """Return the line of a mask in an image of ``size`` = (width, height)."""
        x0, y0, x1, y1 = found.box
        pieces = [] if found.mask is None else polygons(found.mask.inside(), most=1)
        return outline_line(found.class_index, pieces[0] if pieces else [x0, y0, x1, y0, x1, y1, x0, y1], size)


def yolo_name(name: str) -> str:
    """Return the name of an image below ``images``; a folder of that name inside would be taken for it.

    >>> yolo_name("images/1"), yolo_name("owls/images")
    ('images_/1', 'owls/images')
    """
    *folders, last = name.split("/")
    return "/".join([*(f"{folder}_" if folder == "images" else folder for folder in folders), last])
