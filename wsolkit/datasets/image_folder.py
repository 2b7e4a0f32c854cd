"""The layout an engineer has: one folder of photographs for each class, and perhaps some boxes to evaluate with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from wsolkit.datasets.image_files import displayed_size, images_below, is_image
from wsolkit.datasets.images import ImageDataset
from wsolkit.datasets.record import Record
from wsolkit.datasets.splits import split_by_hash
from wsolkit.errors import ConfigError, DataError, nearest
from wsolkit.formats.box_files import ImageBoxes, read_boxes

__all__ = ["ImageFolder"]

SPLITS = ("train", "val", "test")


class ImageFolder(ImageDataset):
    """Images in one folder per class, single-label.

    Either ``<data_root>/<split>/<class>/...`` or, without split folders, ``<data_root>/<class>/...``, divided by
    ``split_fractions``. Files may be nested deeper. Anything whose name begins with a dot, and anything without an
    image's suffix, is left out. Classes are the folder names of all splits, sorted. Image ids are paths below
    ``data_root``.

    Args:
        data_root: folder with the split folders or the class folders.
        split: ``train``, ``val``, ``test`` or the name of another split folder; without split folders also ``all``.
        classes: names of the class folders to use, in this order; by default all.
        split_fractions: the parts of train, val and test where there are no split folders. Each class is divided by a
            hash of the names: disjoint, and the same on every machine. Give the same to every split.
        boxes: boxes for evaluation, read only where ``load_targets`` is set: a CSV file ``path,x0,y0,x1,y1[,class]``
            (half open, pixels) or ``boxes.csv`` of wsolkit, a COCO JSON file, a folder of PASCAL VOC XML files
            (1-based and inclusive, as VOC), or a folder of YOLO's (``labels`` and ``data.yaml``). The path is below
            ``data_root`` or absolute.
        **options: see ``ImageDataset``.

    Raises:
        DataError: there are no images, or boxes are malformed or belong to no image.
        ConfigError: there is no such split or class.
    """

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        classes: Sequence[str] | None = None,
        split_fractions: Sequence[float] = (0.8, 0.1, 0.1),
        boxes: str | None = None,
        **options: Any,
    ) -> None:
        if len(split_fractions) != len(SPLITS):
            raise ConfigError(
                f"split_fractions should be three numbers for {', '.join(SPLITS)}, but got {split_fractions}."
            )
        self.chosen = classes
        self.split_fractions = split_fractions
        self.boxes = boxes
        super().__init__(data_root=data_root, split=split, **options)

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        root = Path(self.data_root)
        if not root.is_dir():
            raise DataError(f"Images should be in {root}, but there is no such folder. Check data_root.")
        wanted = {*SPLITS, self.split}
        split_folders = [path for path in subfolders(root) if path.name in wanted and is_split_folder(path)]
        folder = self.split_folder(root, split_folders)
        classes = self.class_names(split_folders or [root])
        images: dict[str, int] = {}
        empty, largest = [], 0
        for label, name in enumerate(classes):
            names = [f"{name}/{path}" for path in images_below(folder / name)]
            if not names:
                empty.append(name)
            largest = max(largest, len(names))
            if folder == root and self.split != "all":
                names = split_by_hash(names, self.split_fractions)[SPLITS.index(self.split)]
            images |= dict.fromkeys(names, label)
        if empty:
            warnings.warn(
                f"{len(empty)} of the {len(classes)} class folders in {folder} have no images: "
                f"{', '.join(empty[:10])}. They stay classes; leave them out with classes=[...].",
                stacklevel=2,
            )
        if largest and not images:
            raise DataError(
                f"No class folder in {root} has more than {largest} images, of which split_fractions "
                f"{tuple(self.split_fractions)} leave none for {self.split!r}. Give more images, other split_fractions "
                f"to the data set of every split, or look at another split (`wsolkit test --split val`)."
            )
        prefix = "" if folder == root else f"{folder.name}/"
        records: list[Record] = [
            {"image_id": prefix + name, "image_path": str(folder / name), "labels": [label]}
            for name, label in images.items()
        ]
        if self.load_targets and self.boxes is not None:
            self.add_boxes(records, folder, classes)
        return records, classes

    def split_folder(self, root: Path, split_folders: list[Path]) -> Path:
        """Return the folder of the split, or ``root`` where it has no split folders.

        Raises:
            ConfigError: there is no such split.
        """
        folders = {folder.name: folder for folder in split_folders}
        if folders:
            if self.split not in folders:
                raise ConfigError(f"There is no split {self.split!r} in {root}. {nearest(self.split, folders)}")
            return folders[self.split]
        if self.split not in (*SPLITS, "all"):
            raise ConfigError(
                f"{root} has no folder {self.split!r} with class folders in it. Make one, or set split to one of "
                f"{', '.join(SPLITS)} and all: train, val and test are then divided by split_fractions."
            )
        return root

    def class_names(self, parents: list[Path]) -> list[str]:
        """Return the names of the classes: those asked for, or all folders below ``parents``.

        Raises:
            ConfigError: a class that is asked for has no folder.
            DataError: there are no class folders.
        """
        folders = [folder for parent in parents for folder in subfolders(parent)]
        found = {folder.name for folder in folders if not holds_other_files_only(folder)}
        if not found:
            raise DataError(f"There are no class folders in {', '.join(map(str, parents))}. Make one for each class.")
        for name in self.chosen or ():
            if name not in found:
                raise ConfigError(f"Class {name!r} has no folder in {self.data_root}. {nearest(name, found)}")
        return sorted(found) if self.chosen is None else list(self.chosen)

    def add_boxes(self, records: list[Record], folder: Path, classes: list[str]) -> None:
        """Put the boxes of the box file into the records of this split; those of other splits are left out."""
        root = Path(self.data_root)
        prefix = "" if folder == root else f"{folder.name}/"
        everything = images_below(root)  # boxes of other splits are no mistake
        ids = set(everything)
        by_file_name: dict[str, list[str]] = {}
        for image_id in everything:
            by_file_name.setdefault(PurePosixPath(image_id).name, []).append(image_id)

        def find(name: str) -> str | None:
            name = name.replace("\\", "/").removeprefix("./")
            same_file_name = by_file_name.get(name, [])
            candidates = [prefix + name, name, *(same_file_name if len(same_file_name) == 1 else ())]
            return next((candidate for candidate in candidates if candidate in ids), None)

        images = {record["image_id"]: record["image_id"].removeprefix(prefix) for record in records}
        paths = {record["image_id"]: record["image_path"] for record in records}
        found = read_boxes(root / str(self.boxes), find, images, lambda image_id: displayed_size(paths[image_id]))
        for record in records:
            if record["image_id"] in found:
                add_to_record(record, found[record["image_id"]], classes)


def add_to_record(record: Record, found: ImageBoxes, classes: list[str]) -> None:
    """Put boxes into a record, their class names turned into labels.

    Raises:
        DataError: a class name is none of the classes.
    """
    own = record["labels"][0]
    for name in found.names:
        if name is not None and name not in classes:
            raise DataError(f"{found.source}: {name!r} is no class. {nearest(name, classes)} Correct the boxes.")
    record["boxes"] = found.boxes
    record["box_labels"] = [own if name is None else classes.index(name) for name in found.names]
    record["difficult"] = found.difficult
    if found.size is not None:
        record["size"] = found.size


def subfolders(folder: Path) -> list[Path]:
    """Return the folders directly in a folder that are not hidden, sorted."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX")))


def is_split_folder(folder: Path) -> bool:
    """Return whether a folder holds class folders and no images of its own."""
    return bool(subfolders(folder)) and not any(is_image(path.name) for path in folder.iterdir() if path.is_file())


def holds_other_files_only(folder: Path) -> bool:
    """Whether a folder holds files but no image: annotations, say, and no class."""
    names = [name for _, _, files in os.walk(folder) for name in files if not name.startswith(".")]
    return bool(names) and not any(is_image(name) for name in names)
