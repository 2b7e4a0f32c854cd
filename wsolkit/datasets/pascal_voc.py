"""The layout of PASCAL VOC 2007 to 2012."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit.datasets.images import ImageDataset, file_in
from wsolkit.datasets.record import Record
from wsolkit.errors import DataError, nearest
from wsolkit.evaluation.class_masks import IGNORED, mask_value
from wsolkit.formats.masks import read_index_mask
from wsolkit.formats.text_lists import numbered_lines, split_line, whole_number
from wsolkit.formats.voc import image_size, object_boxes, object_names

__all__ = ["VOC_CLASSES", "PascalVOC"]

# fmt: off
VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle",
    "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person",
    "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)
# fmt: on
"""The twenty classes, in the order of the mask values 1 to 20."""


class PascalVOC(ImageDataset):
    """Images in the layout of PASCAL VOC, multi-label.

    Labels come from the lists ``ImageSets/<image_set>/<class>_<split>.txt`` (1 present, 0 only as difficult objects,
    -1 absent) where they are, else from the object names in the annotations; no box is read for them. A class that is
    present only as difficult objects counts as present, as in the published classification results, and is recorded in
    ``difficult_labels``. Boxes, 1-based and inclusive in the files, become half open from 0: (xmin - 1, ymin - 1, xmax,
    ymax). Image ids are the names in the split file.

    Args:
        data_root: folder with ``JPEGImages``, ``Annotations`` and ``ImageSets``, such as ``VOCdevkit/VOC2012``.
        split: name of a file in ``ImageSets/<image_set>``, such as ``train``.
        image_set: ``Main``, ``Segmentation`` or another folder of ``ImageSets``.
        classes: names of the classes to use, in this order; by default the twenty. Of these, others are left out;
            for data of your own in this layout, name all of its classes.
        masks: read class masks (``SegmentationClass``) of the images that have one where ``load_targets`` is set.
        **options: see ``ImageDataset``.

    Raises:
        DataError: a file is missing or malformed, or names an unknown class.
    """

    multi_label = True

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        image_set: str = "Main",
        classes: Sequence[str] | None = None,
        masks: bool = True,
        **options: Any,
    ) -> None:
        self.image_set = image_set
        self.chosen = list(VOC_CLASSES if classes is None else classes)
        self.label_of = {name: label for label, name in enumerate(self.chosen)}
        self.masks = masks
        super().__init__(data_root=data_root, split=split, **options)

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        root = Path(self.data_root)
        folder = root / "ImageSets" / self.image_set
        path = file_in(folder, f"{self.split}.txt", f"The list of split {self.split!r}")
        names = [line.split()[0] for _, line in numbered_lines(path)]
        images = file_in(root, "JPEGImages", "The images of PASCAL VOC")
        presence = self.listed_labels(folder, names)
        records = []
        for name in names:
            annotation = root / "Annotations" / f"{name}.xml"
            states = self.annotated_labels(annotation) if presence is None else presence[name]
            record: Record = {
                "image_id": name,
                "image_path": str(images / f"{name}.jpg"),
                "labels": sorted(states),
                "difficult_labels": sorted(label for label, clear in states.items() if not clear),
            }
            if self.load_targets:
                self.add_targets(record, annotation)
            records.append(record)
        return records, self.chosen

    def listed_labels(self, folder: Path, names: list[str]) -> dict[str, dict[int, bool]] | None:
        """Return {image: {class: whether it is there as more than difficult objects}} from the lists of each class.

        Returns:
            None where a class has no list.

        Raises:
            DataError: a list has a malformed line or lacks an image.
        """
        paths = [folder / f"{name}_{self.split}.txt" for name in self.chosen]
        if not all(path.exists() for path in paths):
            return None
        found: dict[str, dict[int, bool]] = {name: {} for name in names}
        for label, path in enumerate(paths):
            seen = set()
            for number, line in numbered_lines(path):
                image, state = split_line(path, number, line, "image presence", separator=None)
                presence = whole_number(path, number, state, "presence", (-1, 0, 1))
                seen.add(image)
                if presence >= 0 and image in found:
                    found[image][label] = presence == 1
            lacking = [name for name in names if name not in seen]
            if lacking:
                raise DataError(
                    f"{path} should list every image of split {self.split!r}, but lacks {len(lacking)}, such as "
                    f"{lacking[0]!r}. Add them, or delete all lists of classes to take labels from the annotations."
                )
        return found

    def annotated_labels(self, annotation: Path) -> dict[int, bool]:
        """Return {class: whether it is there as more than difficult objects} from the names in an annotation file."""
        found: dict[int, bool] = {}
        for name, difficult in object_names(annotation):
            label = self.label(name, annotation)
            if label is not None:
                found[label] = found.get(label, False) or not difficult
        return found

    def label(self, name: str, annotation: Path) -> int | None:
        """Return the class of an object, or None for one of the twenty that is not asked for.

        Raises:
            DataError: the name is unknown.
        """
        if name in self.label_of:
            return self.label_of[name]
        if name in VOC_CLASSES:
            return None
        raise DataError(
            f"Annotation {annotation} has an object {name!r}, which is none of the classes. "
            f"{nearest(name, self.chosen)} Correct it, or name it in classes=[...]."
        )

    def add_targets(self, record: Record, annotation: Path) -> None:
        """Put the boxes, the size they are for and the path of the mask into a record."""
        record["boxes"], record["box_labels"], record["difficult"] = [], [], []
        for found in object_boxes(annotation):
            label = self.label(found.name, annotation)
            if label is not None:
                record["boxes"].append(list(found.box))
                record["box_labels"].append(label)
                record["difficult"].append(found.difficult)
        size = image_size(annotation)
        if size is not None:
            record["size"] = size
        mask = Path(self.data_root) / "SegmentationClass" / f"{record['image_id']}.png"
        if self.masks and mask.exists():
            record["mask_paths"] = [str(mask)]

    def read_mask(self, record: Record) -> np.ndarray | None:
        """Return the class mask, 255 ignored, or None for an image without one.

        Values 1 to 20 are the twenty classes; those that are not asked for become background. Where ``classes`` names
        others than the twenty, value k + 1 is the k-th of them.

        Raises:
            DataError: the mask is broken or holds a value that is no class.
        """
        if not record.get("mask_paths"):
            return None
        path = record["mask_paths"][0]
        mask = read_index_mask(path)
        order = VOC_CLASSES if set(self.chosen) <= set(VOC_CLASSES) else tuple(self.chosen)
        values = np.zeros(256, dtype=np.uint8)
        values[IGNORED] = IGNORED
        for index, name in enumerate(order):
            values[mask_value(index)] = mask_value(self.label_of[name]) if name in self.label_of else 0
        strange = set(np.unique(mask).tolist()) - {0, IGNORED, *range(1, len(order) + 1)}
        if strange:
            raise DataError(
                f"Mask {path} should hold 0, 1 to {len(order)} and {IGNORED}, but holds {sorted(strange)[:5]}. "
                "Name all classes in classes=[...], or set masks=False."
            )
        return values[mask]
