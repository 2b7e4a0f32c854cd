"""One folder of photographs for each class, and perhaps some boxes to evaluate with."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self

from wsolkit.datasets.image_walk import SYSTEM, holds_images, is_image
from wsolkit.datasets.layouts.boxes_beside import BOX_FILES, add_boxes, box_file
from wsolkit.datasets.layouts.class_folders import SPLITS, ClassFolders, doubts_of, subfolders
from wsolkit.datasets.layouts.layout import Layout, Metadata, Understood, each_once
from wsolkit.datasets.record import Record
from wsolkit.datasets.splits import split_by_hash
from wsolkit.errors import ConfigError, DataError, first_few, nearest
from wsolkit.names import Known

__all__ = ["FolderLayout", "tree_line"]

SHOWN = 20
"""Classes that are named where a split is told of."""


class FolderLayout(Layout):
    """A split of images in one folder per class; see ``wsolkit.datasets.image_folder.ImageFolder``.

    Args:
        data_root: folder with the split folders or the class folders.
        split: ``train``, ``val``, ``test`` or another split folder; ``all`` for the images of every split.
        classes: names of the class folders to use, in this order; by default all.
        split_fractions: the parts of train, val and test where there are no split folders.
        boxes: boxes for evaluation; a path like any other, or one below ``data_root``.

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
        self.chosen = None if classes is None else each_once(classes)
        self.split_fractions = split_fractions
        self.boxes = boxes
        self.lines: list[str] = []
        self.doubts: dict[str, list[str]] = {}

    def understood(self) -> Understood:
        """Return how the folders were understood, once ``records`` has read them."""
        return Understood(self.lines, self.doubts)

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Self | None:
        """Return a split of class folders that have boxes: ``metadata.boxes``, or one of ``BOX_FILES`` beside them.

        Raises:
            ConfigError: there are split folders and nobody says which.
        """
        boxes = metadata.boxes or next(filter(Path.exists, (metadata.path / name for name in BOX_FILES)), None)
        return None if boxes is None else cls.of_folder(metadata, boxes)

    @classmethod
    def of_folder(cls, metadata: Metadata, boxes: Path | None = None) -> Self | None:
        """Return a split of class folders, or None where no folder below holds images.

        Without split folders these are all images.

        Raises:
            ConfigError: there are split folders and nobody says which.
        """
        root = metadata.path
        if not root.is_dir() or not any(holds_images(str(folder)) for folder in subfolders(root)):
            return None
        splits = list(ClassFolders(root).splits)
        if metadata.split is None and splits:
            raise ConfigError(f"{root} holds the splits {first_few(splits, 12)}. Choose one with --split.")
        where = None if boxes is None else str(boxes.absolute())
        return cls(str(root), metadata.split or "all", metadata.classes, boxes=where)

    def records(self, targets: bool) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        root = Path(self.data_root)
        if not root.is_dir():
            raise DataError(f"Images should be in {root}, but there is no such folder. Check data_root.")
        tree = ClassFolders(root, self.split)
        if self.split == "all" and tree.splits and tree.folder_of("all") is None:
            return self.every_split(tree, targets)
        folder = self.split_folder(tree)
        classes = self.class_names(tree)
        by_class = tree.images(folder, classes)
        self.doubts = doubts_of(tree, folder, by_class, self.chosen is not None)
        images: dict[str, int] = {}
        empty, largest = [], 0
        for label, (name, names) in enumerate(by_class.items()):
            if not names:
                empty.append(name)
            largest = max(largest, len(names))
            if folder == root and self.split != "all":
                names = split_by_hash(names, self.split_fractions)[SPLITS.index(self.split)]
            images |= dict.fromkeys(names, label)
        self.lines = [tree_line(folder, self.split, by_class, images, None if tree.splits else self.split_fractions)]
        if empty:
            warnings.warn(
                f"{len(empty)} of the {len(classes)} class folders in {folder} have no images: "
                f"{', '.join(empty[:10])}. They stay classes; leave them out with classes=[...].",
                stacklevel=2,
            )
        for what, places in self.doubts.items():
            if what != f"left out: {SYSTEM}":
                warnings.warn(f"{root}: {what}: {first_few(places)} ({len(places)}).", stacklevel=2)
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
            add_boxes(records, box_file(self.boxes, root), root, prefix, classes)
        return records, classes

    def every_split(self, tree: ClassFolders, targets: bool) -> tuple[list[Record], list[str]]:
        """Return the records of all split folders, one after another, and the class names."""
        classes, found = self.class_names(tree), list[Record]()
        self.lines, self.doubts = [], {}
        for name in tree.splits:
            part = FolderLayout(self.data_root, name, self.chosen, self.split_fractions, self.boxes)
            found += part.records(targets)[0]
            self.lines += part.lines
            for what, places in part.doubts.items():
                self.doubts[what] = list(dict.fromkeys([*self.doubts.get(what, ()), *places]))
        return found, classes

    def split_folder(self, tree: ClassFolders) -> Path:
        """Return the folder of the split, or the root where it has no split folders.

        Raises:
            ConfigError: there is no such split.
        """
        if tree.splits:
            found = tree.folder_of(self.split)
            if found is None:
                raise ConfigError(
                    f"There is no split {self.split!r} in {tree.root}. {nearest(self.split, tree.splits)}"
                )
            return found
        if self.split not in (*SPLITS, "all"):
            raise ConfigError(
                f"{tree.root} has no folder {self.split!r} with class folders in it. Make one, or set split to one of "
                f"{', '.join(SPLITS)} and all: train, val and test are then divided by split_fractions."
            )
        return tree.root

    def class_names(self, tree: ClassFolders) -> list[str]:
        """Return the names of the classes: those asked for, or all class folders.

        Raises:
            ConfigError: a class that is asked for has no folder.
            DataError: there are no class folders.
        """
        found = tree.classes()
        known = Known(found)
        if not found:
            parents = ", ".join(map(str, tree.parents()))
            direct = sum(is_image(each.name) for parent in tree.parents() for each in parent.iterdir())
            raise DataError(
                f"There are no class folders in {parents}; photographs lie in it directly ({direct}). Put those "
                f"of each class into a folder of its own; or name the folder above, {tree.root.resolve().parent}, if "
                "this is one class of several; or write the classes into a table, labels.csv (wsolkit label --labels)."
                if direct
                else f"There are no class folders in {parents}. Make one for each class."
            )
        for name in self.chosen or ():
            if known.find(name) is None:
                raise ConfigError(f"Class {name!r} has no folder in {self.data_root}. {nearest(name, found)}")
        return found if self.chosen is None else list(self.chosen)


def tree_line(
    folder: Path,
    split: str,
    by_class: Mapping[str, Sequence[str]],
    images: Collection[str],
    fractions: Sequence[float] | None,
) -> str:
    """Return in words how a split was read: its folder, its classes and how many images each has.

    >>> tree_line(Path("photos"), "val", {"cat": ["cat/1.jpg"], "dog": []}, ["cat/1.jpg"], (0, 1, 0))
    'val: 1 image, divided 0 : 1 : 0 by their names, of 2 classes in photos: cat 1, dog 0'
    """
    counts = [f"{name} {sum(path in images for path in paths)}" for name, paths in by_class.items()]
    shown = ", ".join(counts[:SHOWN]) + (f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else "")
    how = "" if fractions is None or split == "all" else f" divided {' : '.join(map(str, fractions))} by their names,"
    many = f"{len(images)} image{'s' if len(images) != 1 else ''},"
    return f"{split}: {many}{how} of {len(counts)} class{'es' if len(counts) != 1 else ''} in {folder}: {shown}"
