"""One folder of photographs for each class, and perhaps some boxes to evaluate with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from wsolkit.datasets.image_files import images_below, is_image
from wsolkit.datasets.layouts.layout import Layout, Metadata
from wsolkit.datasets.record import Record
from wsolkit.datasets.splits import split_by_hash
from wsolkit.errors import ConfigError, DataError, first_few, nearest
from wsolkit.formats.box_files import ImageBoxes, read_boxes
from wsolkit.formats.image_headers import displayed_size
from wsolkit.formats.image_names import ImageNames
from wsolkit.names import Known, composed

__all__ = ["BOX_FILES", "FolderLayout"]

SPLITS = ("train", "val", "test")
BOX_FILES = ("boxes.json", "boxes.csv", "boxes")
"""Where boxes beside class folders are looked for if nobody says where they are."""


class FolderLayout(Layout):
    """A split of images in one folder per class; see ``wsolkit.datasets.image_folder.ImageFolder``.

    Args:
        data_root: folder with the split folders or the class folders.
        split: ``train``, ``val``, ``test`` or another split folder; without split folders also ``all``.
        classes: names of the class folders to use, in this order; by default all.
        split_fractions: the parts of train, val and test where there are no split folders.
        boxes: boxes for evaluation; below ``data_root`` or absolute.

    Raises:
        ConfigError: ``split_fractions`` are not three.
    """

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        classes: Sequence[str] | None = None,
        split_fractions: Sequence[float] = (0.8, 0.1, 0.1),
        boxes: str | None = None,
    ) -> None:
        self.data_root = data_root
        self.split = split
        if len(split_fractions) != len(SPLITS):
            raise ConfigError(
                f"split_fractions should be three numbers for {', '.join(SPLITS)}, but got {split_fractions}."
            )
        self.chosen = classes
        self.split_fractions = split_fractions
        self.boxes = boxes

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Self | None:
        """Return a split of class folders that have boxes: ``metadata.boxes``, or one of ``BOX_FILES`` beside them.

        Raises:
            ConfigError: there are split folders and nobody says which.
        """
        root, boxes = metadata.path, metadata.boxes
        if boxes is None:
            boxes = next((root / name for name in BOX_FILES if (root / name).exists()), None)
        return None if boxes is None else cls.of_folder(metadata, boxes)

    @classmethod
    def of_folder(cls, metadata: Metadata, boxes: Path | None = None) -> Self | None:
        """Return a split of class folders, or None where no folder below holds images.

        Without split folders these are all images.

        Raises:
            ConfigError: there are split folders and nobody says which.
        """
        root = metadata.path
        if not root.is_dir() or not any(images_below(folder) for folder in subfolders(root)):
            return None
        splits = [folder.name for folder in subfolders(root) if folder.name in SPLITS and is_split_folder(folder)]
        if metadata.split is None and splits:
            raise ConfigError(f"{root} holds the splits {first_few(splits, 12)}. Choose one with --split.")
        where = None if boxes is None else str(boxes.absolute())
        return cls(str(root), metadata.split or "all", metadata.classes, boxes=where)

    def records(self, targets: bool) -> tuple[list[Record], list[str]]:
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
        own = Known(path.name for path in subfolders(folder))
        for label, name in enumerate(classes):
            there = own.find(name) or name
            names = [f"{there}/{path}" for path in images_below(folder / there)]
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
        if targets and self.boxes is not None:
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
        forms: dict[str, str] = {}  # of one name in two splits, whose accents may differ
        for folder in folders:
            if not holds_other_files_only(folder):
                forms.setdefault(composed(folder.name), folder.name)
        found = set(forms.values())
        if not found:
            raise DataError(f"There are no class folders in {', '.join(map(str, parents))}. Make one for each class.")
        for name in self.chosen or ():
            if composed(name) not in forms:
                raise ConfigError(f"Class {name!r} has no folder in {self.data_root}. {nearest(name, found)}")
        return sorted(found) if self.chosen is None else list(self.chosen)

    def add_boxes(self, records: list[Record], folder: Path, classes: list[str]) -> None:
        """Put the boxes of the box file into the records of this split; those of other splits are left out."""
        root = Path(self.data_root)
        prefix = "" if folder == root else f"{folder.name}/"
        everything = images_below(root)  # boxes of other splits are no mistake
        names = ImageNames(everything, [prefix])
        images = {record["image_id"]: record["image_id"].removeprefix(prefix) for record in records}
        paths = {record["image_id"]: record["image_path"] for record in records}
        peers = [each.removeprefix(prefix) for each in everything if each.startswith(prefix)]
        found = read_boxes(root / str(self.boxes), names, images, lambda each: displayed_size(paths[each]), peers)
        for record in records:
            if record["image_id"] in found:
                add_to_record(record, found[record["image_id"]], classes)


def add_to_record(record: Record, found: ImageBoxes, classes: list[str]) -> None:
    """Put boxes into a record, their class names turned into labels.

    Raises:
        DataError: a class name is none of the classes.
    """
    own, known = record["labels"][0], Known(classes)
    labels = []
    for name in found.names:
        meant = classes[own] if name is None else known.find(name)
        if meant is None:
            raise DataError(f"{found.source}: {name!r} is no class. {nearest(str(name), classes)} Correct the boxes.")
        labels.append(classes.index(meant))
    record["boxes"] = found.boxes
    record["box_labels"] = labels
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
