"""Label Studio's files: the export named JSON is read, tasks with predictions are written.

Boxes are percents of the photograph there. What people drew stands under ``annotations``, what models say under
``predictions``, which are read by nobody here.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from wsolkit.errors import DataError, shortened
from wsolkit.formats.checked_boxes import checked_box, checked_size
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult
from wsolkit.formats.tool_boxes import ToolImage, turned_hull
from wsolkit.formats.writer import Writer
from wsolkit.formats.xml_files import fill
from wsolkit.formats.yolo import whole_pixels
from wsolkit.text_files import read_json

__all__ = ["LabelStudioWriter", "read_label_studio"]

SHAPES = {"rectanglelabels": "rectanglelabels", "polygonlabels": "polygonlabels", "rectangle": "labels"}
"""The kinds of results that boxes are made of, and where each has its class."""
SILENT = ("labels", "choices", "textarea", "rating", "taxonomy", "number", "datetime")
"""Results that say something of the whole photograph, or of a box once more."""
TINY = 1e-6
"""Percents are not exact: a side this near to a whole pixel, in pixels, is one."""
LOCAL = "/data/local-files/?d="
"""The address of a file below Label Studio's document root."""


def read_label_studio(path: str | Path) -> list[ToolImage]:
    """Return the boxes of the tasks that somebody annotated; polygons count with the box around them.

    Of several annotations the one marked as ground truth, then one that was accepted in review, then the last counts;
    those that were skipped do not. An empty one says that nothing is there.

    Raises:
        DataError: the file is missing, no export of tasks, nobody annotated any, or a result is malformed.
    """
    what = f"Label Studio's file {path}"
    tasks = read_json(path, "Label Studio's file")
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise DataError(f"{what} is no list of tasks. Export JSON.")
    if tasks and not any("annotations" in task or "completions" in task or "predictions" in task for task in tasks):
        raise DataError(f"{what} has no annotations: JSON-MIN and others are not read. Export JSON.")
    found, turned, others = [], 0, set()
    for place, task in enumerate(tasks):
        where = f"{what}, task {task.get('id', place)}"
        annotation = chosen(task)
        if annotation is None:
            continue
        image = ToolImage(image_of(task, where), None, [], [], where)
        for result in annotation.get("result") or ():
            kind = result.get("type") if isinstance(result, dict) else None
            if kind in SHAPES:
                image, angle = with_result(image, result, where)
                turned += angle != 0
            elif kind not in SILENT:
                others.add(str(kind))
        found.append(image)
    if not found:
        raise DataError(f"{what}: nobody has annotated any of its {len(tasks)} tasks (predictions are no annotations).")
    if turned:
        warnings.warn(f"{path}: {turned} boxes are turned; the upright box around each is read.", stacklevel=2)
    if others:
        warnings.warn(f"{path}: {', '.join(sorted(others))} are no boxes and are left out.", stacklevel=2)
    return found


def chosen(task: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the annotation of a task that counts, or None where nobody made one."""
    made = [
        each
        for each in task.get("annotations") or ()
        if isinstance(each, dict) and isinstance(each.get("result"), list) and not each.get("was_cancelled")
    ]

    def worth(each: Mapping[str, Any]) -> tuple[bool, bool, str]:
        reviews = [review for review in each.get("reviews") or () if isinstance(review, dict)]
        last = each.get("updated_at") or each.get("created_at") or ""
        return bool(each.get("ground_truth")), bool(reviews and reviews[-1].get("accepted")), str(last)

    return max(reversed(made), key=worth, default=None)  # the later of two equals


def image_of(task: Mapping[str, Any], where: str) -> str:
    """Return the address of a task's photograph.

    Raises:
        DataError: the task has none.
    """
    data = task.get("data")
    texts = {key: text for key, text in (data if isinstance(data, dict) else {}).items() if isinstance(text, str)}
    name = texts.get("image") or next((text for text in texts.values() if "." in text or "/" in text), "")
    if not name or "\0" in name:
        raise DataError(f"{where} names no image under data. Export JSON of tasks with images.")
    plain = name if "?d=" in name else name.split("?")[0]  # an address may be signed
    return plain.partition("://")[2] or plain


def with_result(image: ToolImage, result: Mapping[str, Any], where: str) -> tuple[ToolImage, float]:
    """Return an image with the box of one more result, and the angle that it is turned by.

    Raises:
        DataError: the result lacks the size of the photograph, or its numbers are none.
    """
    size = checked_size(result.get("original_width"), result.get("original_height"), where)
    value = result.get("value")
    if size is None or not isinstance(value, dict):
        raise DataError(f"{where}: a box lacks original_width, original_height or value. Export JSON.")
    if result.get("image_rotation"):
        raise DataError(f"{where}: the photograph was turned in Label Studio. Turn it back there, and export again.")
    scale = (size[0] / 100, size[1] / 100)
    try:
        angle = float(value.get("rotation") or 0)
        if "points" in value:
            corners = [(float(x) * scale[0], float(y) * scale[1]) for x, y in value["points"]]
        else:
            x, y, width, height = (float(value[key]) for key in ("x", "y", "width", "height"))
            sides = (x * scale[0], y * scale[1], (x + width) * scale[0], (y + height) * scale[1])
            x0, y0, x1, y1 = whole_pixels(sides, TINY)
            corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        box = checked_box(turned_hull(corners, angle, corners[0]), where)
    except (KeyError, TypeError, ValueError, IndexError):
        raise DataError(f"{where}: a box should be numbers in percent, but is {shortened(repr(value))}.") from None
    names = value.get(SHAPES[result["type"]])
    classes = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    more: list[str | None] = [*classes] or [None]
    return image._replace(size=size, boxes=image.boxes + [box] * len(more), classes=image.classes + more), angle


class LabelStudioWriter(Writer):
    """``labelstudio.json``, tasks with the boxes as predictions, and ``labelstudio.xml``, the labelling interface.

    The photographs are to be below the document root of Label Studio's local files. The score of a prediction is that
    of its worst box: 1 - doubt where boxes have one, so that sorting by it begins with what is to be checked first.
    """

    outputs = ("labelstudio.json", "labelstudio.xml")
    to_correct = True

    def __init__(self, folder: Path, classes: Sequence[str], *arguments: Any, **more: Any) -> None:
        super().__init__(folder, classes, *arguments, **more)
        self._file = self.draft("labelstudio.json").open("w", encoding="utf-8")
        self._count = 0

    def add(self, result: ImageResult | Failure) -> None:
        """Write the task of an image."""
        if isinstance(result, Failure):
            return
        drawn = [prediction(found, result.size, f"box{number}") for number, found in enumerate(result.boxes)]
        told = str(self.about.get("checkpoint") or self.about.get("config") or "").rpartition("/")[2]
        made = {
            "model_version": f"wsolkit {told}".strip(),
            "score": min((each["score"] for each in drawn), default=0.0),
            "result": drawn,
        }
        address = LOCAL + quote(result.image_id, errors="surrogateescape")
        task = {"data": {"image": address, "image_id": result.image_id}, "predictions": [made]}
        self._file.write((",\n" if self._count else "[\n") + json.dumps(task))
        self._count += 1

    def close(self) -> None:
        """Complete the tasks, and write the interface."""
        self._file.write("\n]\n" if self._count else "[]\n")
        self._file.close()
        view = ElementTree.Element("View")
        ElementTree.SubElement(view, "Image", name="image", value="$image")
        labels = ElementTree.SubElement(view, "RectangleLabels", name="label", toName="image")
        for name in self.classes:
            plain = ElementTree.Element("Label")
            fill(plain, {"value": name})  # without what XML does not allow
            ElementTree.SubElement(labels, "Label", value=plain[0].text or "")
        ElementTree.indent(view)
        self.draft("labelstudio.xml").write_bytes(ElementTree.tostring(view, encoding="utf-8") + b"\n")

    def __exit__(self, *error: Any) -> None:
        self._file.close()
        super().__exit__(*error)


def prediction(found: FoundBox, size: tuple[int, int], name: str) -> dict[str, Any]:
    """Return a box as a result of Label Studio: percents of a photograph of ``size`` = (width, height).

    >>> found = FoundBox((2.0, 1.0, 8.0, 7.0), 0, "owl", 0.5, 0.25, doubt=0.2)
    >>> prediction(found, (10, 8), "box0")["value"], prediction(found, (10, 8), "box0")["score"]
    ({'x': 20.0, 'y': 12.5, 'width': 60.0, 'height': 75.0, 'rotation': 0, 'rectanglelabels': ['owl']}, 0.8)
    """
    x0, y0, x1, y1 = found.box
    width, height = size
    across, down = 100 / width, 100 / height
    place = {"x": x0 * across, "y": y0 * down, "width": (x1 - x0) * across, "height": (y1 - y0) * down}
    score = found.score if found.doubt is None else 1 - found.doubt
    return {
        "id": name,
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "score": round(float(score), 6),
        "value": {**place, "rotation": 0, "rectanglelabels": [found.class_name]},
    }
