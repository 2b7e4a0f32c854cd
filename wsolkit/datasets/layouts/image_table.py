"""Photographs whose classes stand in a table, and perhaps some boxes to evaluate with."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from wsolkit.datasets.image_walk import images_below
from wsolkit.datasets.label_tables import LABEL, TABLE_SUFFIXES, LabelTable, number_first, read_label_table
from wsolkit.datasets.layouts.boxes_beside import BOX_FILES, add_boxes, box_file
from wsolkit.datasets.layouts.class_folders import SPLITS, split_meant, subfolders
from wsolkit.datasets.layouts.image_folder import tree_line
from wsolkit.datasets.layouts.layout import Layout, Metadata, Understood, each_once
from wsolkit.datasets.named_images import NamedImages
from wsolkit.datasets.record import Record
from wsolkit.datasets.splits import split_by_hash
from wsolkit.errors import ConfigError, DataError, first_few, nearest, noting
from wsolkit.formats.text_lists import set_once
from wsolkit.names import Known

__all__ = ["TABLES", "TableLayout", "tables_in"]

TABLES = ("metadata.csv", "metadata.jsonl")
"""What Hugging Face calls the table in a folder of images."""
PEEK = 1 << 16
"""Bytes of a table that are looked at to know it by."""
SAVED = ("dataset_info.json", "state.json")
"""What a folder of the library ``datasets`` holds that keeps images in Arrow files."""


def tables_in(root: Path) -> dict[str, Path]:
    """Return the tables that a folder of Hugging Face's has, by the folder of a split, ``""`` for the root.

    Raises:
        DataError: it is a folder that ``save_to_disk`` wrote, or a split has two tables.
    """
    if all((root / name).is_file() for name in SAVED) or (root / "dataset_dict.json").is_file():
        raise DataError(
            f"{root} was written by save_to_disk of the library datasets: its images are in Arrow files. Write them as "
            "files with a table beside them: for n, each in enumerate(split): each['image'].save(f'photos/{n}.png'), "
            "and a line n.png,label in photos/labels.csv."
        )
    if not root.is_dir():
        return {}
    found: dict[str, Path] = {}
    for folder in (root, *(folder for folder in subfolders(root) if split_meant(folder.name) in SPLITS)):
        there = [folder / name for name in TABLES if has_labels(folder / name)]
        if len(there) > 1:
            raise DataError(f"{folder} has {' and '.join(path.name for path in there)}. Remove one of them.")
        if there and (folder == root or "" not in found):
            found["" if folder == root else folder.name] = there[0]
    return found


def has_labels(path: Path) -> bool:
    """Whether a file of one of these names is a table with the columns ``file_name`` and, say, ``label``."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline(PEEK).decode("utf-8-sig", "replace")
    quoted = re.findall(r'"([^"\\]*)"\s*:', first) if path.suffix == ".jsonl" else re.split(r"[,;\t]", first)
    names = [name.strip(' \r\n"').lower() for name in quoted]
    return "file_name" in names and any(LABEL.fullmatch(name) for name in names)


class TableLayout(Layout):
    """A split of images whose classes a table tells; see ``wsolkit.datasets.image_folder.ImageFolder``.

    Args:
        data_root: the folder of the images; that of the table by default, and it may be the table itself.
        split: ``train``, ``val``, ``test``, another split that the table names, or ``all``.
        labels: the table: a path like any other, or one below ``data_root``; Hugging Face's by default.
        classes: names of the classes to use, in this order; by default all.
        split_fractions: the parts of train, val and test where the table does not divide the images.
        boxes: boxes for evaluation; a path like any other, or one below ``data_root``.
    """

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        labels: str | None = None,
        classes: Sequence[str] | None = None,
        split_fractions: Sequence[float] = (0.8, 0.1, 0.1),
        boxes: str | None = None,
    ) -> None:
        given = Path(data_root)
        if labels is None and given.is_file():
            labels, given = str(given.absolute()), given.parent
        named = None if labels is None else box_file(labels, given)
        self.root = given if data_root or named is None else named.parent
        self.tables = tables_in(self.root) if named is None else {"": named}
        self.split = split
        self.chosen = None if classes is None else each_once(classes)
        self.split_fractions = split_fractions
        self.boxes = boxes
        self.lines: list[str] = []
        self.doubts: dict[str, list[str]] = {}

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Self | None:
        """Return the split of a table, or of a folder with one of ``TABLES``."""
        path = metadata.path
        if path.is_file() and path.suffix.lower() in TABLE_SUFFIXES:
            try:
                read_label_table(path, metadata.classes)
            except DataError:
                return None
        elif path.is_file() or not tables_in(path):
            return None
        root = metadata.images or (path.parent if path.is_file() else path)
        boxes = metadata.boxes or next(filter(Path.exists, (root / name for name in BOX_FILES)), None)
        labels = str(path.absolute()) if path.is_file() else None
        where = None if boxes is None else str(boxes.absolute())
        return cls(str(root), metadata.split or "all", labels, metadata.classes, boxes=where)

    def understood(self) -> Understood:
        """Return how the tables were understood, once ``records`` has read them."""
        return Understood(self.lines, self.doubts)

    def records(self, targets: bool) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        if not self.root.is_dir():
            raise DataError(f"Images should be in {self.root}, but there is no such folder. Check data_root.")
        read = {folder: read_label_table(path, self.chosen) for folder, path in self.tables.items()}
        if not read:
            raise DataError(f"There is none of {', '.join(TABLES)} in {self.root}. Set labels=labels.csv.")
        self.multi_label = any(table.multi_label for table in read.values())
        classes = self.class_names(list(read.values()))
        everything = {name: str(self.root / name) for name in images_below(self.root)}
        self.doubts = {}
        labels: dict[str, tuple[str, ...]] = {}
        splits: dict[str, str] = {}
        for folder, table in read.items():
            found = self.labels_of(table, everything)
            labels |= found[0]
            splits |= found[1] if table.has_splits else dict.fromkeys(found[0], split_meant(folder))
        self.doubt("images that no table names", [name for name in everything if name not in labels])
        chosen = {name: [label for label in found if label in classes] for name, found in labels.items()}
        if not self.multi_label:
            chosen = {name: found for name, found in chosen.items() if found}
            if self.chosen is None:
                self.doubt("images without a label, left out", [name for name in labels if name not in chosen])
        divided = any(splits.values())
        mine = self.own(chosen, {name: splits[name] for name in chosen}, classes, divided)
        self.tell(read, mine, chosen, classes, divided)
        index = {name: number for number, name in enumerate(classes)}
        records: list[Record] = [
            {"image_id": name, "image_path": everything[name], "labels": sorted(index[label] for label in chosen[name])}
            for name in mine
        ]
        if targets and self.boxes is not None:
            prefix = f"{self.split}/" if self.split in self.tables else ""
            add_boxes(records, box_file(self.boxes, self.root), self.root, prefix, classes)
        return records, classes

    def class_names(self, tables: Sequence[LabelTable]) -> list[str]:
        """Return the names of the classes: those asked for, or all of the tables.

        Raises:
            ConfigError: no table has a class that is asked for.
        """
        found = list(tables[0].classes)
        if any(list(table.classes) != found for table in tables):
            found = sorted({name for table in tables for name in table.classes}, key=number_first)
        if self.chosen is None:
            return found
        known = Known(found)
        for name in self.chosen:
            if known.find(name) is None:
                raise ConfigError(f"Class {name!r} is in no line of {tables[0].path}. {nearest(name, found)}")
        return [known.find(name) or name for name in self.chosen]

    def labels_of(
        self, table: LabelTable, images: Mapping[str, str]
    ) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """Return the classes and the split of each image that a table names.

        Raises:
            DataError: no image is there, or the table contradicts itself.
        """
        names = NamedImages(images, table.path.parent)
        labels: dict[str, tuple[str, ...]] = {}
        splits: dict[str, str] = {}
        missing = []
        for row in table.rows:
            where = f"{table.path}, line {row.line}"
            with noting(where, where):
                image = names.find(row.name)
            if image is None:
                missing.append(row.name)
                continue
            set_once(labels, image, row.labels, where)
            set_once(splits, image, row.split, where)
        if not labels:
            raise DataError(
                f"None of the {len(table.rows)} images that {table.path} names is in {self.root} or below: "
                f"{first_few(missing)}. Set data_root to the folder of the images."
            )
        self.doubt(f"images that {table.path} names and that are not there", missing)
        if told := names.told(str(table.path)):
            warnings.warn(told, stacklevel=2)
        return labels, splits

    def own(
        self, labels: Mapping[str, Sequence[str]], splits: Mapping[str, str], classes: Sequence[str], divided: bool
    ) -> list[str]:
        """Return the images of the split: all, those that a table gives it, or those that fall into it by their names.

        Raises:
            ConfigError: there is no such split.
            DataError: nothing falls into it.
        """
        if self.split == "all":
            return sorted(labels)
        if divided:
            found = sorted(name for name, split in splits.items() if split_meant(self.split) == split)
            if not found:
                there = sorted(set(splits.values()))
                raise ConfigError(f"No image is of split {self.split!r}. {nearest(self.split, [*there, 'all'])}")
            return found
        if self.split not in SPLITS:
            raise ConfigError(
                f"There is no split {self.split!r}: the table does not divide its images. Use one of "
                f"{', '.join(SPLITS)} and all, or write a column split."
            )
        groups = [list(labels)]
        if not self.multi_label:
            groups = [[name for name, found in labels.items() if found[0] == label] for label in classes]
        part = SPLITS.index(self.split)
        mine = [name for group in groups for name in split_by_hash(group, self.split_fractions)[part]]
        if not mine:
            raise DataError(
                f"split_fractions {tuple(self.split_fractions)} leave none of {len(labels)} images for {self.split!r}. "
                "Give more images, other split_fractions to the data set of every split, or a column split."
            )
        return sorted(mine)

    def doubt(self, what: str, places: Sequence[str]) -> None:
        """Note what may not be meant, and warn of it."""
        if places:
            self.doubts[what] = [*self.doubts.get(what, ()), *places]
            warnings.warn(f"{self.root}: {what}: {first_few(places)} ({len(places)}).", stacklevel=2)

    def tell(
        self,
        tables: Mapping[str, LabelTable],
        mine: Sequence[str],
        labels: Mapping[str, Sequence[str]],
        classes: Sequence[str],
        divided: bool,
    ) -> None:
        """Write down how the split was read."""
        by_class: dict[str, list[str]] = {name: [] for name in classes}
        for name, found in labels.items():
            for label in found:
                by_class[label].append(name)
        where = next(iter(tables.values())).path if len(tables) == 1 else self.root
        kind = "any number of classes an image" if self.multi_label else "one class an image"
        how = next(iter(tables.values())).how
        line = tree_line(where, self.split, by_class, set(mine), None if divided else self.split_fractions)
        self.lines = [line, f"{where}: {how}; {kind}"]
