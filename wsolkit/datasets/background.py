"""Classes of nothing: images that show none of the things the others show keep no label, and their class is none."""

from __future__ import annotations

from collections.abc import Sequence

from wsolkit.datasets.layouts.layout import each_once
from wsolkit.datasets.record import Record
from wsolkit.errors import ConfigError, DataError, nearest
from wsolkit.names import Known

__all__ = ["without_background"]


def without_background(
    records: Sequence[Record], classes: Sequence[str], background: Sequence[str]
) -> tuple[list[Record], list[str]]:
    """Return records without the labels of background classes, and the names of the other classes.

    Args:
        records: of images with class labels and, perhaps, boxes.
        classes: names of the classes, by index.
        background: those of images that show nothing.

    Raises:
        ConfigError: a background class is no class, or no other class is left.
        DataError: an image of nothing has another label, or a box.

    >>> records = [{"image_id": name, "image_path": "", "labels": [label]} for name, label in (("a", 1), ("b", 2))]
    >>> without_background(records, ["crack", "free", "hole"], ["free"])[1]
    ['crack', 'hole']
    >>> [record["labels"] for record in without_background(records, ["crack", "free", "hole"], ["free"])[0]]
    [[], [1]]
    """
    known = Known(classes)
    names = {name: known.find(name) for name in each_once(background)}
    for name, meant in names.items():
        if meant is None:
            raise ConfigError(f"background={list(background)}: {name!r} is no class. {nearest(name, classes)}")
    kept = [name for name in classes if name not in names.values()]
    if not kept:
        raise ConfigError(f"background={list(background)} leaves no class. Name only what shows nothing.")
    places = {classes.index(name): place for place, name in enumerate(kept)}
    found = []
    for record in records:
        labels = [places[label] for label in record["labels"] if label in places]
        empty = len(labels) < len(record["labels"])
        if empty and (labels or record.get("boxes")):
            what = f"is also of class {kept[labels[0]]!r}" if labels else "has a box"
            shown = ", ".join(map(str, background))
            raise DataError(
                f"Image {record['image_id']!r} of {shown} shows nothing, but it {what}. Correct one of both."
            )
        changed: Record = {**record, "labels": labels}
        for label in record.get("box_labels", ()):
            if label not in places:
                raise DataError(
                    f"Image {record['image_id']!r} has a box of class {classes[label]!r}, which is background: nothing "
                    "to put a box around. Correct the boxes."
                )
        if "box_labels" in record:
            changed["box_labels"] = [places[label] for label in record["box_labels"]]
        found.append(changed)
    return found, kept
