"""The layout of PASCAL VOC 2007 to 2012."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from wsolkit.datasets.image_files import is_image
from wsolkit.datasets.layouts.layout import Layout, Metadata, each_once, file_in, image_file
from wsolkit.datasets.record import Record
from wsolkit.errors import ConfigError, DataError, first_few, nearest
from wsolkit.evaluation.class_masks import IGNORED, mask_value
from wsolkit.formats.checked_boxes import refuse_fractions
from wsolkit.formats.masks import read_index_mask
from wsolkit.formats.text_lists import numbered_lines, set_once, split_line, whole_number
from wsolkit.formats.voc import VocObject, image_size, object_boxes, object_names, warn_of_zeros
from wsolkit.names import Known, composed

__all__ = ["VOC_CLASSES", "VocLayout"]

# fmt: off
VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle",
    "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person",
    "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)
# fmt: on
"""The twenty classes, in the order of the mask values 1 to 20."""


class ImageFiles:
    """The images of a folder by their names without an ending, a folder listed when one of its images is asked for.

    Args:
        folder: ``JPEGImages``, which in other people's data holds other kinds of images too.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listed: dict[Path, dict[str, Path]] = {}

    def of(self, name: str) -> Path | None:
        """Return the file of an image, ``.jpg`` before other endings, or None where there is none."""
        wanted = self.folder / name
        if wanted.parent not in self._listed:
            files = wanted.parent.iterdir() if wanted.parent.is_dir() else ()
            images = sorted((file for file in files if is_image(file.name)), key=lambda file: file.suffix != ".jpg")
            self._listed[wanted.parent] = {composed(file.stem): file for file in reversed(images)}
        return self._listed[wanted.parent].get(composed(wanted.name))


def listed_name(line: str, files: ImageFiles, annotations: Path) -> str:
    """Return the image that a line of a split's list names; behind the name may stand a number or another word."""
    alone = re.sub(r"(?<=\S)\s+-?\d+$", "", line)
    for name in dict.fromkeys((line, alone, line.split()[0])):
        if files.of(name) is not None or (annotations / f"{name}.xml").exists():
            return name
    return alone


class VocLayout(Layout):
    """A split of PASCAL VOC; see ``wsolkit.datasets.pascal_voc.PascalVOC``.

    Args:
        data_root: folder with ``JPEGImages``, ``Annotations`` and ``ImageSets``.
        split: name of a file in ``ImageSets/<image_set>``.
        image_set: a folder of ``ImageSets``.
        classes: names of the classes to use, in this order; by default the twenty.
        masks: read class masks of the images that have one.
    """

    multi_label = True

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        image_set: str = "Main",
        classes: Sequence[str] | None = None,
        masks: bool = True,
    ) -> None:
        self.data_root = data_root
        self.split = split
        self.image_set = image_set
        self.chosen = each_once(VOC_CLASSES if classes is None else classes)
        self.label_of = {name: label for label, name in enumerate(self.chosen)}
        self._known = Known(self.label_of)
        self.masks = masks

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Self | None:
        """Return a split of a folder with ``ImageSets``: a list of ``Main``, or of another set (``Segmentation/val``).

        Raises:
            ConfigError: there is no such split.
        """
        path, split = metadata.path, metadata.split
        if not (path / "ImageSets").is_dir():
            return None
        lists = {
            each.relative_to(path / "ImageSets").with_suffix("").as_posix().removeprefix("Main/")
            for each in path.glob("ImageSets/*/*.txt")
            if "_" not in each.stem  # cat_val.txt is about one class
        }
        if split is None or (split not in lists and not (path / "ImageSets" / "Main" / f"{split}.txt").exists()):
            what = "Choose a split with --split" if split is None else f"There is no split {split!r}"
            raise ConfigError(f"{what}: {path} has {first_few(sorted(lists), 12) or 'none'}.")
        image_set, _, name = split.rpartition("/")
        return cls(str(path), name, image_set or "Main", metadata.classes)

    def records(self, targets: bool) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        root = Path(self.data_root)
        folder = root / "ImageSets" / self.image_set
        path = file_in(folder, f"{self.split}.txt", f"The list of split {self.split!r}")
        images = file_in(root, "JPEGImages", "The images of PASCAL VOC")
        files = ImageFiles(images)
        names = [listed_name(line, files, root / "Annotations") for _, line in numbered_lines(path)]
        presence = self.listed_labels(folder, names)
        records, objects = [], []
        for name in names:
            annotation = Path(image_file(root / "Annotations", f"{name}.xml"))
            states = self.annotated_labels(annotation) if presence is None else presence[name]
            record: Record = {
                "image_id": name,
                "image_path": str(files.of(name) or images / f"{name}.jpg"),
                "labels": sorted(states),
                "difficult_labels": sorted(label for label, clear in states.items() if not clear),
            }
            if targets:
                objects += self.add_targets(record, annotation)
            records.append(record)
        if targets:
            warn_of_zeros(objects, root / "Annotations")
            refuse_fractions((box for record in records for box in record["boxes"]), str(root / "Annotations"))
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
            seen: dict[str, int] = {}
            for number, line in numbered_lines(path):
                image, state = split_line(path, number, line, "image presence", separator=None)
                presence = whole_number(path, number, state, "presence", (-1, 0, 1))
                set_once(seen, image, presence, f"{path}, line {number}")
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
        known = self._known.find(name)
        if known is not None:
            return self.label_of[known]
        if name in VOC_CLASSES:
            return None
        raise DataError(
            f"Annotation {annotation} has an object {name!r}, which is none of the classes. "
            f"{nearest(name, self.chosen)} Correct it, or name it in classes=[...]."
        )

    def add_targets(self, record: Record, annotation: Path) -> list[VocObject]:
        """Put the boxes, the size they are for and the path of the mask into a record; returns what is annotated."""
        record["boxes"], record["box_labels"], record["difficult"] = [], [], []
        objects = object_boxes(annotation)
        for found in objects:
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
        return objects

    def mask(self, record: Record) -> np.ndarray | None:
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
