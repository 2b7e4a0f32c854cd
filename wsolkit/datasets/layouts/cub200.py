"""The official layout of Caltech-UCSD Birds-200-2011."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Self

import numpy as np

from wsolkit.datasets.layouts.layout import Layout, Metadata, file_in, image_file
from wsolkit.datasets.record import Record
from wsolkit.datasets.splits import hash_order
from wsolkit.errors import ConfigError, DataError, one_of
from wsolkit.evaluation.class_masks import mask_value
from wsolkit.formats.checked_boxes import checked_box
from wsolkit.formats.masks import read_binary_mask
from wsolkit.formats.text_lists import malformed, numbered_lines, set_once, split_line, whole_number

__all__ = ["Cub200Layout"]

SPLITS = ("train", "val", "test")
SURE = 127
"""Masks hold how many of five annotators marked a pixel, times 51; more than this is most of them."""


class Cub200Layout(Layout):
    """A split of CUB-200-2011 as its authors distribute it; see ``wsolkit.datasets.cub200.CUB200``.

    Args:
        data_root: folder with ``images.txt``, or the one above it.
        split: ``train``, ``val`` or ``test``.
        val_per_class: images of each class that are in ``val`` and not in ``train``.
        masks: read masks; None for: where there are any.

    Raises:
        ConfigError: the split is unknown, or ``val`` is asked for without ``val_per_class``.
    """

    def __init__(
        self, data_root: str = "", split: str = "train", val_per_class: int = 0, masks: bool | None = False
    ) -> None:
        one_of("split of CUB200", split, SPLITS)
        if split == "val" and val_per_class < 1:
            raise ConfigError(
                "CUB-200-2011 has no validation split. Set val_per_class=5 here and in the training data, "
                "or use WsolMetadata with CUBV2."
            )
        self.data_root = data_root
        self.split = split
        self.val_per_class = val_per_class
        self.masks = masks

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Self | None:
        """Return a split of a folder with ``images.txt`` and ``train_test_split.txt``, or of the folder above it.

        Raises:
            ConfigError: the split is missing or unknown, or classes are named, which are named here already.
        """
        root = cub_root(metadata.path)
        if not all((root / name).exists() for name in ("images.txt", "train_test_split.txt")):
            return None
        if metadata.split is None:
            raise ConfigError(f"{root} holds the splits 'train' and 'test'. Choose one with --split.")
        if metadata.classes is not None:
            raise ConfigError(f"The classes of {root} are those of its classes.txt. Leave out --classes.")
        return cls(str(root), metadata.split, masks=None)

    def records(self, targets: bool) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        root = cub_root(self.data_root)
        paths = table(file_in(root, "images.txt", "The list of images of CUB-200-2011"), "id path")
        names = table(file_in(root, "classes.txt", "The list of classes of CUB-200-2011"), "id name")
        positions = {number: label for label, number in enumerate(names)}
        classes = [name for _, name in names.values()]
        labels: dict[str, int] = {}
        file = file_in(root, "image_class_labels.txt", "The labels of CUB-200-2011")
        for image, (line, text) in table(file, "id class").items():
            if text not in positions:
                raise DataError(f"{file}, line {line}: class {text!r} is not in classes.txt. Correct the line.")
            labels[image] = positions[text]
        file = file_in(root, "train_test_split.txt", "The split of CUB-200-2011")
        is_train = {
            image: whole_number(file, line, text, "split", (0, 1)) == 1
            for image, (line, text) in table(file, "id is_train").items()
        }
        for file_name, known in (("image_class_labels.txt", labels), ("train_test_split.txt", is_train)):
            for image, (line, path) in paths.items():
                if image not in known:
                    raise DataError(
                        f"{root / file_name} lacks image {image} ({path}), line {line} of images.txt. Add it."
                    )
        boxes = self.boxes(root) if targets else {}
        segmentations = next((f for f in (root / "segmentations", root.parent / "segmentations") if f.is_dir()), None)
        records = []
        for image in self.chosen({image: path for image, (_, path) in paths.items()}, labels, is_train):
            path = paths[image][1]
            record: Record = {
                "image_id": path,
                "image_path": image_file(root / "images", path),
                "labels": [labels[image]],
            }
            if targets:
                if image not in boxes:
                    raise DataError(f"{root / 'bounding_boxes.txt'} lacks image {image} ({path}). Add it.")
                record["boxes"], record["box_labels"] = [boxes[image]], [labels[image]]
                if self.masks or (self.masks is None and segmentations is not None):
                    if segmentations is None:
                        raise DataError(f"Masks should be in {root}/segmentations. Unpack them, or set masks=False.")
                    record["mask_paths"] = [str((segmentations / path).with_suffix(".png"))]
            records.append(record)
        return records, classes

    def chosen(self, paths: dict[str, str], labels: dict[str, int], is_train: dict[str, bool]) -> list[str]:
        """Return the images of the split, in the order of ``images.txt``."""
        if self.split == "test":
            return [image for image in paths if not is_train[image]]
        by_class: dict[int, dict[str, str]] = defaultdict(dict)
        for image, path in paths.items():
            if is_train[image]:
                by_class[labels[image]][path] = image
        held_out = {
            images[path] for images in by_class.values() for path in hash_order(list(images))[: self.val_per_class]
        }
        wanted = self.split == "val"
        return [image for image in paths if is_train[image] and (image in held_out) == wanted]

    def boxes(self, root: Path) -> dict[str, list[float]]:
        """Return the half-open box of each image, by its number."""
        path = file_in(root, "bounding_boxes.txt", "The boxes of CUB-200-2011")
        found: dict[str, list[float]] = {}
        for number, line in numbered_lines(path):
            image, *texts = split_line(path, number, line, "id x y width height", separator=None)
            try:
                x, y, width, height = map(float, texts)
            except ValueError:
                raise malformed(path, number, line, "id x y width height") from None
            where = f"{path}, line {number}"
            set_once(found, image, checked_box([x, y, x + width, y + height], where), where)
        return found

    def mask(self, record: Record) -> np.ndarray | None:
        """Return the mask of the pixels that most annotators marked, with the image's class, or None."""
        if not record.get("mask_paths"):
            return None
        inside = read_binary_mask(record["mask_paths"][0], above=SURE)
        return inside.astype(np.uint8) * mask_value(record["labels"][0])


def cub_root(folder: str | Path) -> Path:
    """Return the folder with ``images.txt``, which may lie below the one that was named."""
    below = Path(folder) / "CUB_200_2011"
    return below if not (Path(folder) / "images.txt").exists() and below.is_dir() else Path(folder)


def table(path: Path, expected: str) -> dict[str, tuple[int, str]]:
    """Return {id: (line number, the rest of the line)} of a file of CUB-200-2011.

    Raises:
        DataError: a line has no id or nothing behind it, or two lines with one id differ.
    """
    found: dict[str, tuple[int, str]] = {}
    for number, line in numbered_lines(path):
        parts = line.split(maxsplit=1)
        if len(parts) != 2:
            raise malformed(path, number, line, expected)
        first = found.setdefault(parts[0], (number, parts[1]))
        if first[1] != parts[1]:
            raise DataError(f"{path}, line {number}: id {parts[0]} is there twice. Correct the line.")
    return found
