"""What annotators say of a split: labels, boxes and masks, read without decoding an image.

Boxes are half open, in pixels of the size the annotations state, or, where they state none, of the mask or the image.
wsolkit's own layouts are read without torch; where the path is in none of them, the data sets of plugins are asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wsolkit.datasets.label_tables import TABLE_SUFFIXES, read_label_table
from wsolkit.datasets.layouts.boxes_beside import BOX_FILES
from wsolkit.datasets.layouts.coco import CocoLayout
from wsolkit.datasets.layouts.cub200 import Cub200Layout
from wsolkit.datasets.layouts.image_folder import FolderLayout
from wsolkit.datasets.layouts.image_table import TableLayout
from wsolkit.datasets.layouts.layout import Layout, Metadata
from wsolkit.datasets.layouts.pascal_voc import VocLayout
from wsolkit.datasets.layouts.wsol_metadata import IMAGE_IDS, WsolLayout
from wsolkit.datasets.record import Record, checked_class_names
from wsolkit.datasets.targets import check_masks, image_targets
from wsolkit.errors import DataError, first_few
from wsolkit.formats.coco import read_instances
from wsolkit.formats.image_headers import displayed_size
from wsolkit.interfaces import Targets
from wsolkit.registry import DATASETS

if TYPE_CHECKING:
    from wsolkit.datasets.images import ImageDataset

__all__ = ["Annotations", "ImageAnnotations", "read_annotations"]

LAYOUTS: tuple[type[Layout], ...] = (CocoLayout, VocLayout, WsolLayout, Cub200Layout, TableLayout, FolderLayout)
"""wsolkit's own layouts, in the order in which they are asked."""


@dataclass(frozen=True)
class ImageAnnotations:
    """What annotators say of one image.

    Attributes:
        image_id: its name.
        path: its file; empty where it was not said where images are.
        label: class index of single-label data, or (K,) int8, 1 present, 0 absent, -1 only as difficult objects.
        size: (width, height) that boxes are in; None where nothing says it.
        targets: boxes and, where asked for, the mask; None where there are none.
    """

    image_id: str
    path: str
    label: int | np.ndarray
    size: tuple[int, int] | None
    targets: Targets | None = None

    @property
    def present(self) -> list[int]:
        """Classes that are in the image, rising."""
        return [self.label] if isinstance(self.label, int) else np.flatnonzero(self.label > 0).tolist()


class Annotations:
    """The images of a split, in the order of its list; boxes and masks are made when an image is asked for.

    Args:
        split: name of the split.
        classes: class names, by index.
        multi_label: whether images have any number of labels.
        records: a record for each image.
        targets: makes boxes and mask of a record and a size; None where they were not asked for.
        finds_images: whether the paths of images can be opened.
        image_root: what the paths of images begin with, for data whose image ids are not the files' names.

    Attributes:
        ids: the image ids.
        has_boxes: whether there is a true box.
        has_masks: whether there is a mask.
        file_names: the name of each image's file by image id, for COCO, whose image ids are numbers; else empty.

    Raises:
        DataError: there are no images, an image is there twice, or images have boxes, but nothing says how large these
            images are.
    """

    def __init__(
        self,
        split: str,
        classes: Sequence[str],
        multi_label: bool,
        records: Iterable[Record],
        targets: Callable[[Record, tuple[int, int]], Targets] | None,
        finds_images: bool = True,
        image_root: Path | None = None,
    ) -> None:
        self.split = split
        self.classes = checked_class_names(classes)
        self.multi_label = multi_label
        self.has_boxes = self.has_masks = False
        self.ids: list[str] = []
        self.file_names: dict[str, str] = {}
        self._records = list(records)
        self._targets = targets
        self._finds_images = finds_images
        self._present: list[list[int]] = []
        unsized = []
        for record in self._records:
            self.ids.append(record["image_id"])
            if image_root is not None:
                self.file_names[record["image_id"]] = Path(os.path.relpath(record["image_path"], image_root)).as_posix()
            self._present.append(sorted(set(record["labels"]) - set(record.get("difficult_labels", ()))))
            boxes, masks = bool(record.get("boxes")), has_mask(record)
            self.has_boxes, self.has_masks = self.has_boxes or boxes, self.has_masks or masks
            if boxes and not self._file(record) and "size" not in record and not record.get("mask_paths"):
                unsized.append(record["image_id"])
        if not self.ids:
            raise DataError(f"There are no images in split {split!r}. Check the metadata and the split.")
        if unsized:
            raise DataError(
                f"{len(unsized)} images have boxes, but nothing says how large the images are: {first_few(unsized)}. "
                "Fill image_sizes.txt (id,width,height), or width and height of the COCO or VOC files, or give "
                "--images, the folder of the images."
            )
        if len(set(self.ids)) < len(self.ids):
            twice = next(each for each in self.ids if self.ids.count(each) > 1)
            raise DataError(f"Image {twice!r} is in the list of split {self.split!r} twice. Remove one of the lines.")

    def __len__(self) -> int:
        return len(self.ids)

    def present(self, index: int) -> list[int]:
        """Return the classes of an image, rising, without those that are there only as difficult objects."""
        return self._present[index]

    def image(self, index: int, masks: bool = False) -> ImageAnnotations:
        """Return what is known of one image.

        Args:
            index: its place in ``ids``.
            masks: read its mask.

        Raises:
            DataError: a mask is unreadable, or the image's file where its size is needed.
        """
        record = copy(self._records[index])
        label: int | np.ndarray = record["labels"][0] if not self.multi_label else label_vector(record, self.classes)
        size = self._size(record)
        found = ImageAnnotations(record["image_id"], self._file(record), label, size)
        if not masks:
            for key in ("mask_paths", "ignore_path", "segmentations"):
                record.pop(key, None)  # type: ignore[misc]
        if self._targets is None or size is None:
            return found
        return replace(found, targets=self._targets(record, size))

    def __iter__(self) -> Iterator[ImageAnnotations]:
        return (self.image(index) for index in range(len(self)))

    def _file(self, record: Record) -> str:
        """Return the absolute path of an image's file, or nothing where that is not known."""
        return str(Path(record["image_path"]).absolute()) if self._finds_images and record["image_path"] else ""

    def _size(self, record: Record) -> tuple[int, int] | None:
        """Return (width, height) as the annotations state it, or else as the mask or the image has it."""
        if "size" in record:
            return record["size"]
        if record.get("mask_paths"):
            check_masks(record)
            return displayed_size(record["mask_paths"][0])
        file = self._file(record)
        return displayed_size(file) if file else None


def has_mask(record: Record) -> bool:
    """Whether an image has a mask file or an outline."""
    return bool(record.get("mask_paths")) or any(record.get("segmentations", ()))


def label_vector(record: Record, classes: Sequence[str]) -> np.ndarray:
    """Return (K,) int8: 1 for classes that are there, -1 for those that are there only as difficult objects, else 0."""
    labels = np.zeros(len(classes), dtype=np.int8)
    labels[record["labels"]] = 1
    labels[record.get("difficult_labels", [])] = -1
    return labels


def of_layout(layout: Layout, targets: bool) -> Annotations:
    """Return the annotations of a split in a layout of wsolkit's own."""
    records, classes = layout.records(targets)

    def make(record: Record, size: tuple[int, int]) -> Targets:
        return image_targets(record, size, layout.mask(record))

    there = targets and any("boxes" in record for record in records)
    return Annotations(
        layout.split,
        classes,
        layout.multi_label,
        records,
        make if there else None,
        layout.finds_images,
        layout.image_root,
    )


def of_dataset(dataset: ImageDataset) -> Annotations:
    """Return the annotations of a split in a layout that a plugin brought."""
    records = (dataset.record(index) for index in range(len(dataset)))
    targets = dataset.targets if dataset.load_targets else None
    return Annotations(dataset.split, dataset.classes, dataset.multi_label, records, targets)


def read_annotations(
    metadata: str | Path,
    split: str | None = None,
    images: str | Path | None = None,
    masks: str | Path | None = None,
    classes: Sequence[str] | None = None,
    targets: bool = True,
    boxes: str | Path | None = None,
) -> Annotations:
    """Read the labels, boxes and masks of a split.

    Args:
        metadata: a split folder of wsolevaluation (``metadata/CUB/test``), the folder of the splits
            (``metadata/CUB``, with ``split``), a COCO ``.json`` file, a ``VOCdevkit/VOC2012`` folder, that of
            CUB-200-2011, a table of labels, class folders with boxes, or whatever a registered data set recognises.
        split: the split: a folder of ``metadata``, or a list of VOC's ``ImageSets/Main`` (``val``) or of another image
            set (``Segmentation/val``); for a COCO file only its name in results.
        images: folder that image ids, or COCO's file names, are relative to; needed only where sizes are missing.
        masks: folder that wsolevaluation's mask paths are relative to; ``images`` by default.
        classes: class names by index; by default those of the annotations.
        targets: read boxes and masks; False for labels and sizes alone.
        boxes: boxes of class folders, see ``ImageFolder``; by default ``boxes.json``, ``boxes.csv`` or ``boxes``
            beside them.

    Raises:
        ConfigError: the split is missing or unknown.
        DataError: files are missing, malformed or contradict each other, or the layout is unknown.
    """
    path = Path(metadata)
    if not path.exists():
        raise DataError(f"There is no metadata {path}. Give a split folder with {IMAGE_IDS}, a COCO .json or VOC2012/.")
    image_root, mask_root, box_file = (None if each is None else Path(each) for each in (images, masks, boxes))
    names = None if classes is None else list(classes)
    asked = Metadata(path, split, image_root, mask_root, box_file, names, targets)
    for layout in LAYOUTS:
        found = layout.from_metadata(asked)
        if found is not None:
            return of_layout(found, targets)
    plugins = layouts_of_plugins()
    for kind in plugins:
        dataset = kind.from_metadata(asked)
        if dataset is not None:
            return of_dataset(dataset)
    photos = None if targets else FolderLayout.of_folder(asked)
    if photos is not None:
        return of_layout(photos, targets)
    raise unknown_layout(path, [kind.__name__ for kind in plugins])


def layouts_of_plugins() -> list[type[ImageDataset]]:
    """Return the registered data sets that say which paths they recognise, in the order of their names."""
    from wsolkit.datasets.images import ImageDataset

    own = ImageDataset.from_metadata.__func__  # type: ignore[attr-defined]
    kinds = dict.fromkeys(DATASETS.get(name) for name in DATASETS.names())
    return [
        kind
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, ImageDataset) and kind.from_metadata.__func__ is not own  # type: ignore[attr-defined]
    ]


def unknown_layout(path: Path, plugins: Sequence[str]) -> DataError:
    """Return the error about a path that no layout recognises, with all that were tried.

    Raises:
        DataError: a ``.json`` file or a table of labels is broken.
    """
    others = f" Data sets of plugins that were asked: {', '.join(plugins)}." if plugins else ""
    if path.is_file():
        if path.suffix.lower() == ".json":
            read_instances(path)
        if path.suffix.lower() in TABLE_SUFFIXES:
            read_label_table(path)
        return DataError(
            f"{path} is no .json or .csv file. Give a COCO file, labels, or the folder of a split.{others}"
        )
    return DataError(
        f"{path} holds neither {IMAGE_IDS} (wsolevaluation's metadata) nor ImageSets/ (PASCAL VOC), nor images.txt and "
        f"train_test_split.txt (CUB-200-2011), nor class folders with {', '.join(BOX_FILES)} or --boxes.{others} "
        "Check it."
    )
