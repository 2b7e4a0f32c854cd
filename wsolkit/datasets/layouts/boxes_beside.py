"""Boxes in a file beside the photographs, put into their records to evaluate with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wsolkit.datasets.image_walk import images_below
from wsolkit.datasets.record import Record
from wsolkit.errors import DataError, nearest
from wsolkit.formats.box_files import ImageBoxes, read_boxes
from wsolkit.formats.image_headers import displayed_size
from wsolkit.formats.image_names import ImageNames
from wsolkit.names import Known

__all__ = ["BOX_FILES", "add_boxes", "add_to_record", "box_file"]

BOX_FILES = ("boxes.json", "boxes.csv", "boxes")
"""Where boxes beside photographs are looked for if nobody says where they are."""


def box_file(name: str, root: Path) -> Path:
    """Return a file or folder of boxes: below the photographs' folder where it is there, or else as it is named."""
    named = Path(name).expanduser()
    below = root / named
    return named if named.exists() and not below.exists() else below


def add_boxes(records: Sequence[Record], boxes: Path, root: Path, prefix: str, classes: Sequence[str]) -> None:
    """Put the boxes of a file into the records of a split; those of other splits are left out.

    Args:
        records: the split's.
        boxes: the file or folder.
        root: the folder of all photographs.
        prefix: the beginning of the split's image ids that may be left out, such as ``val/``.
        classes: names of the classes, by index.

    Raises:
        DataError: boxes are malformed, or belong to no image or no class.
    """
    own = (record["image_id"] for record in records)
    everything = sorted({*images_below(root), *own})  # boxes of other splits are no mistake
    names = ImageNames(everything, [prefix])
    images = {record["image_id"]: record["image_id"].removeprefix(prefix) for record in records}
    paths = {record["image_id"]: record["image_path"] for record in records}
    peers = [each.removeprefix(prefix) for each in everything if each.startswith(prefix)]
    found = read_boxes(boxes, names, images, lambda each: displayed_size(paths[each]), peers)
    for record in records:
        if record["image_id"] in found:
            add_to_record(record, found[record["image_id"]], classes)


def add_to_record(record: Record, found: ImageBoxes, classes: Sequence[str]) -> None:
    """Put boxes into a record, their class names turned into labels.

    Raises:
        DataError: a class name is none of the classes, or a box has none and its image several.
    """
    known, own = Known(classes), record["labels"]
    labels = []
    for name in found.names:
        if name is None and len(own) != 1:
            raise DataError(
                f"{found.source}: a box says no class, and its image {record['image_id']!r} has {len(own)}. Add the "
                "column class."
            )
        meant = classes[own[0]] if name is None else known.find(name)
        if meant is None:
            raise DataError(f"{found.source}: {name!r} is no class. {nearest(str(name), classes)} Correct the boxes.")
        labels.append(list(classes).index(meant))
    record["boxes"] = found.boxes
    record["box_labels"] = labels
    record["difficult"] = found.difficult
    if found.size is not None:
        record["size"] = found.size
