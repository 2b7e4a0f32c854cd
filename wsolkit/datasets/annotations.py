"""What annotators say of a split: labels, boxes and masks, read without decoding an image.

Boxes are half open, in pixels of the size the annotations state, or, where they state none, of the mask or the image.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wsolkit.array_structures import Targets
from wsolkit.datasets.coco import COCO
from wsolkit.datasets.image_files import displayed_size
from wsolkit.datasets.images import ImageDataset
from wsolkit.datasets.pascal_voc import PascalVOC
from wsolkit.datasets.record import Record
from wsolkit.datasets.wsol_metadata import WsolMetadata
from wsolkit.errors import ConfigError, DataError, first_few, nearest

__all__ = ["ImageTruth", "Truth", "read_truth"]

IMAGE_IDS = "image_ids.txt"


@dataclass(frozen=True)
class ImageTruth:
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


class Truth:
    """The images of a split, in the order of its list; boxes and masks are made when an image is asked for.

    Args:
        dataset: the data set.
        images: whether the paths of images can be opened.
        folder: what the paths of images begin with, for data whose image ids are not the files' names.

    Attributes:
        classes: class names, by index.
        multi_label: whether images have any number of labels.
        has_boxes: whether there is a true box.
        has_masks: whether there is a mask.
        file_names: the name of each image's file by image id, for COCO, whose image ids are numbers; else empty.

    Raises:
        DataError: images have boxes, but nothing says how large these images are.
    """

    def __init__(self, dataset: ImageDataset, images: bool, folder: Path | None = None) -> None:
        self._dataset = dataset
        self._images = images
        self.classes: tuple[str, ...] = dataset.classes
        self.multi_label: bool = dataset.multi_label
        self.split: str = dataset.split
        self.has_boxes = self.has_masks = False
        self.ids: list[str] = []
        self.file_names: dict[str, str] = {}
        self._present: list[list[int]] = []
        unsized = []
        for index in range(len(dataset)):
            record = dataset.record(index)
            self.ids.append(record["image_id"])
            if folder is not None:
                self.file_names[record["image_id"]] = Path(os.path.relpath(record["image_path"], folder)).as_posix()
            self._present.append(sorted(set(record["labels"]) - set(record.get("difficult_labels", ()))))
            boxes, masks = bool(record.get("boxes")), has_mask(record)
            self.has_boxes, self.has_masks = self.has_boxes or boxes, self.has_masks or masks
            if boxes and not images and "size" not in record and not record.get("mask_paths"):
                unsized.append(record["image_id"])
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

    def image(self, index: int, masks: bool = False) -> ImageTruth:
        """Return what is known of one image.

        Args:
            index: its place in ``ids``.
            masks: read its mask.

        Raises:
            DataError: a mask is unreadable, or the image's file where its size is needed.
        """
        record = self._dataset.record(index)
        label: int | np.ndarray = record["labels"][0] if not self.multi_label else label_vector(record, self.classes)
        size = self._size(record)
        path = str(Path(record["image_path"]).absolute()) if self._images else ""
        found = ImageTruth(record["image_id"], path, label, size)
        if not masks:
            for key in ("mask_paths", "ignore_path", "segmentations"):
                record.pop(key, None)  # type: ignore[misc]
        elif isinstance(self._dataset, WsolMetadata):
            check_masks(record)
        if not self._dataset.load_targets or size is None:
            return found
        return replace(found, targets=self._dataset.targets(record, size))

    def __iter__(self) -> Iterator[ImageTruth]:
        return (self.image(index) for index in range(len(self)))

    def _size(self, record: Record) -> tuple[int, int] | None:
        """Return (width, height) as the annotations state it, or else as the mask or the image has it."""
        if "size" in record:
            return record["size"]
        if record.get("mask_paths"):
            check_masks(record)
            return displayed_size(record["mask_paths"][0])
        return displayed_size(record["image_path"]) if self._images else None


def has_mask(record: Record) -> bool:
    """Whether an image has a mask file or an outline."""
    return bool(record.get("mask_paths")) or any(record.get("segmentations", ()))


def check_masks(record: Record) -> None:
    """Check that the mask files of an image are there.

    Raises:
        DataError: one is missing.
    """
    for path in (*record.get("mask_paths", ()), *([record["ignore_path"]] if record.get("ignore_path") else ())):
        if not Path(path).is_file():
            raise DataError(
                f"Mask {path} of image {record['image_id']!r} does not exist. Give --masks, the folder that the paths "
                "of masks in localization.txt are relative to (default: --images)."
            )


def label_vector(record: Record, classes: Sequence[str]) -> np.ndarray:
    """Return (K,) int8: 1 for classes that are there, -1 for those that are there only as difficult objects, else 0."""
    labels = np.zeros(len(classes), dtype=np.int8)
    labels[record["labels"]] = 1
    labels[record.get("difficult_labels", [])] = -1
    return labels


def read_truth(
    metadata: str | Path,
    split: str | None = None,
    images: str | Path | None = None,
    masks: str | Path | None = None,
    classes: Sequence[str] | None = None,
    targets: bool = True,
) -> Truth:
    """Read the labels, boxes and masks of a split.

    Args:
        metadata: a split folder of wsolevaluation (``metadata/CUB/test``), the folder of the splits
            (``metadata/CUB``, with ``split``), a COCO ``.json`` file, or a ``VOCdevkit/VOC2012`` folder.
        split: the split: a folder of ``metadata``, or a list of VOC's ``ImageSets/Main`` (``val``) or of another image
            set (``Segmentation/val``); for a COCO file only its name in results.
        images: folder that image ids, or COCO's file names, are relative to; needed only where sizes are missing.
        masks: folder that wsolevaluation's mask paths are relative to; ``images`` by default.
        classes: class names by index; by default those of the annotations.
        targets: read boxes and masks; False for labels and sizes alone.

    Raises:
        ConfigError: the split is missing or unknown.
        DataError: files are missing, malformed or contradict each other.
    """
    path = Path(metadata)
    if path.is_file():
        return read_coco(path, split, images, classes, targets)
    if not path.is_dir():
        raise DataError(f"There is no metadata {path}. Give a split folder with {IMAGE_IDS}, a COCO .json or VOC2012/.")
    if (path / "ImageSets").is_dir():
        return read_voc(path, split, classes)
    if split is None or (not (path / split).is_dir() and (path / IMAGE_IDS).exists() and split == path.name):
        if not (path / IMAGE_IDS).exists():
            known = sorted(each.parent.name for each in path.glob(f"*/{IMAGE_IDS}"))
            if known:
                raise ConfigError(f"{path} holds the splits {first_few(known, 12)}. Choose one with --split.")
            raise DataError(
                f"{path} holds neither {IMAGE_IDS} (wsolevaluation's metadata) nor ImageSets/ (PASCAL VOC). Check it."
            )
        path, split = path.resolve().parent, path.resolve().name
    elif not (path / split / IMAGE_IDS).exists():
        known = [each.parent.name for each in path.glob(f"*/{IMAGE_IDS}")]
        raise ConfigError(f"{path} has no split {split!r} with {IMAGE_IDS}. {nearest(split, known)}")
    localization = path / split / "localization.txt"
    dataset = WsolMetadata(
        split=split,
        metadata=str(path),
        images=str(images or ""),
        mask_root=None if masks is None else str(masks),
        classes=classes,
        load_targets=targets and localization.exists() and localization.stat().st_size > 0,
        test_mode=True,
    )
    return Truth(dataset, images is not None)


def read_coco(
    path: Path, split: str | None, images: str | Path | None, classes: Sequence[str] | None, targets: bool
) -> Truth:
    """Return the truth of a COCO file; its outlines are masks where it states the sizes of images."""
    if path.suffix.lower() != ".json":
        raise DataError(f"{path} is no .json file. Give a COCO file, or the folder of a split.")

    def read(masks: bool) -> COCO:
        return COCO(
            annotations=str(path.absolute()),
            split=split or path.stem,
            images=str(images or ""),
            classes=classes,
            masks=masks,
            load_targets=targets,
            test_mode=True,
        )

    try:
        dataset = read(masks=True)
    except DataError:  # where masks are not the reason, the second reading says the same
        dataset = read(masks=False)
    return Truth(dataset, images is not None, Path(images or ""))


def read_voc(path: Path, split: str | None, classes: Sequence[str] | None) -> Truth:
    """Return the truth of a split of PASCAL VOC."""
    lists = {
        each.relative_to(path / "ImageSets").with_suffix("").as_posix().removeprefix("Main/")
        for each in path.glob("ImageSets/*/*.txt")
        if "_" not in each.stem  # cat_val.txt is about one class
    }
    if split is None or (split not in lists and not (path / "ImageSets" / "Main" / f"{split}.txt").exists()):
        what = "Choose a split with --split" if split is None else f"There is no split {split!r}"
        raise ConfigError(f"{what}: {path} has {first_few(sorted(lists), 12) or 'none'}.")
    image_set, _, name = split.rpartition("/")
    dataset = PascalVOC(
        data_root=str(path),
        split=name,
        image_set=image_set or "Main",
        classes=classes,
        load_targets=True,  # sizes are in the same files
        test_mode=True,
    )
    return Truth(dataset, (path / "JPEGImages").is_dir())
