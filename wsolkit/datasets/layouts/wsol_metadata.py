"""The layout of wsolevaluation: one folder of comma-separated lists for each split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from wsolkit.datasets.layouts.layout import Layout, Metadata, file_in, image_file
from wsolkit.datasets.record import Record
from wsolkit.datasets.targets import check_masks
from wsolkit.errors import ConfigError, DataError, first_few, nearest
from wsolkit.evaluation.class_masks import IGNORED, fit_mask, mask_value
from wsolkit.formats.checked_boxes import MOST_CLASSES, MOST_PIXELS, checked_box, refuse_fractions
from wsolkit.formats.masks import read_binary_mask
from wsolkit.formats.text_lists import (
    malformed,
    numbered_lines,
    read_class_names,
    set_once,
    split_line,
    whole_number,
)

__all__ = ["IMAGE_IDS", "WsolLayout", "read_sizes"]

IMAGE_IDS = "image_ids.txt"


class Localization(NamedTuple):
    """What ``localization.txt`` says of one image: boxes (half open), mask files, and the file of ignored pixels."""

    boxes: list[list[float]]
    masks: list[str]
    ignore: list[str]


class WsolLayout(Layout):
    """A split of wsolevaluation's metadata; see ``wsolkit.datasets.wsol_metadata.WsolMetadata``.

    Args:
        data_root: folder the other paths are relative to.
        split: folder below ``metadata``.
        metadata: folder of the splits.
        images: folder the image ids are relative to.
        mask_root: folder the paths of masks are relative to; ``images`` by default.
        classes: class names by label; by default those of ``<metadata>/classes.txt``, or numbers.
        proxy: read ``image_ids_proxy.txt``.
    """

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        metadata: str = "metadata",
        images: str = "images",
        mask_root: str | None = None,
        classes: Sequence[str] | None = None,
        proxy: bool = False,
    ) -> None:
        self.split = split
        self.metadata = Path(data_root) / metadata
        self.images = Path(data_root) / images
        self.mask_root = self.images if mask_root is None else Path(data_root) / mask_root
        self.names = classes
        self.proxy = proxy
        self.may_lack_targets = False

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Self | None:
        """Return a split folder with ``image_ids.txt``, or the split of that name in a folder of such.

        Raises:
            ConfigError: the split is missing or unknown.
        """
        path, split = metadata.path, metadata.split
        known = sorted(each.parent.name for each in path.glob(f"*/{IMAGE_IDS}"))
        is_split = (path / IMAGE_IDS).exists()
        if not path.is_dir() or not (known or is_split):
            return None
        if is_split and (split is None or (split == path.name and not (path / split).is_dir())):
            path, split = path.resolve().parent, path.resolve().name
        elif split is None:
            raise ConfigError(f"{path} holds the splits {first_few(known, 12)}. Choose one with --split.")
        elif split not in known:
            raise ConfigError(f"{path} has no split {split!r} with {IMAGE_IDS}. {nearest(split, known)}")
        masks = None if metadata.masks is None else str(metadata.masks)
        found = cls("", split, str(path), str(metadata.images or ""), masks, metadata.classes)
        found.finds_images = metadata.images is not None
        found.may_lack_targets = True
        return found

    def records(self, targets: bool) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        folder = self.metadata / self.split
        ids_file = file_in(folder, "image_ids_proxy.txt" if self.proxy else "image_ids.txt", "The list of images")
        ids = [line for _, line in numbered_lines(ids_file)]
        classes = class_names(self.metadata) if self.names is None else list(self.names)
        labels_file = file_in(folder, "class_labels.txt", "The list of labels")
        labels = read_labels(labels_file, classes)
        sizes = read_sizes(folder / "image_sizes.txt")
        found = self.localization(folder) if targets and not self.lacks_targets(folder) else None
        records = []
        for image_id in ids:
            if image_id not in labels:
                raise DataError(f"{labels_file} has no label for {image_id!r} of {ids_file.name}. Add the line.")
            record: Record = {
                "image_id": image_id,
                "image_path": image_file(self.images, image_id),
                "labels": [labels[image_id]],
            }
            if image_id in sizes:
                record["size"] = sizes[image_id]
            if found is not None:
                add_localization(record, found[image_id], self.mask_root)
            records.append(record)
        return records, classes

    def lacks_targets(self, folder: Path) -> bool:
        """Whether there is nothing about boxes or masks, where that is no mistake."""
        path = folder / "localization.txt"
        return self.may_lack_targets and not (path.exists() and path.stat().st_size)

    def localization(self, folder: Path) -> dict[str, Localization]:
        """Return what ``localization.txt`` says, by image; only here is that file opened.

        Raises:
            DataError: it is missing, empty or malformed, or names an image that is not in the split.
        """
        path = file_in(folder, "localization.txt", f"The boxes or masks of split {self.split!r}")
        # Not the proxy list: boxes of the images it leaves out are no mistake.
        known = {line for _, line in numbered_lines(file_in(folder, "image_ids.txt", "The list of images"))}
        found = read_localization(path, known)
        if not found:
            raise DataError(f"{path} holds no boxes or masks. Set load_targets=False for split {self.split!r}.")
        return found

    def mask(self, record: Record) -> np.ndarray | None:
        """Return the mask: the union of the image's instances, 255 where the ignore file says so and no instance is.

        Returns:
            The mask with the image's class, at the size of its first file, or None for an image without masks.
        """
        if not record.get("mask_paths"):
            return None
        check_masks(record)
        layers = [read_binary_mask(path) for path in record["mask_paths"]]
        height, width = layers[0].shape
        inside = np.logical_or.reduce([fit_mask(layer, (width, height)) for layer in layers])
        mask = inside.astype(np.uint8) * mask_value(record["labels"][0])
        if "ignore_path" in record:
            ignored = fit_mask(read_binary_mask(record["ignore_path"]), (width, height))
            mask[ignored & ~inside] = IGNORED
        return mask


def add_localization(record: Record, found: Localization, mask_root: Path) -> None:
    """Put boxes and mask paths into a record."""
    record["boxes"] = found.boxes
    record["box_labels"] = record["labels"] * len(found.boxes)
    if found.masks:
        record["mask_paths"] = [str(mask_root / mask) for mask in found.masks]
    if found.ignore:
        record["ignore_path"] = str(mask_root / found.ignore[0])


def class_names(metadata: Path) -> list[str]:
    """Return the class names of ``classes.txt``, or the labels as text where there is no such file.

    Raises:
        DataError: ``classes.txt`` leaves out a label.
    """
    path = metadata / "classes.txt"
    if not path.exists():
        lists = sorted(metadata.glob("*/class_labels.txt"))
        highest = max((label for one in lists for label in read_labels(one, None).values()), default=-1)
        return [str(label) for label in range(highest + 1)]
    return read_class_names(path)


def read_labels(path: Path, classes: Sequence[str] | None) -> dict[str, int]:
    """Return the label of each image; where ``classes`` are given it has to be one of theirs."""
    allowed = range(MOST_CLASSES) if classes is None else range(len(classes))
    found: dict[str, int] = {}
    for number, line in numbered_lines(path):
        image_id, text = split_line(path, number, line, "path,label")
        label = whole_number(path, number, text, "label", allowed)
        set_once(found, image_id, label, f"{path}, line {number}")
    return found


def read_sizes(path: Path) -> dict[str, tuple[int, int]]:
    """Return (width, height) of each image; nothing for a file that is empty or not there, as for OpenImages."""
    found: dict[str, tuple[int, int]] = {}
    for number, line in numbered_lines(path) if path.exists() else ():
        image_id, *texts = split_line(path, number, line, "path,width,height")
        width, height = (whole_number(path, number, text, "size", range(1, MOST_PIXELS + 1)) for text in texts)
        set_once(found, image_id, (width, height), f"{path}, line {number}")
    return found


def read_localization(path: Path, known: set[str]) -> dict[str, Localization]:
    """Return the boxes or masks of each image.

    Raises:
        DataError: a line is neither a box nor a mask, names an image not in ``known``, or a second ignore file.
    """
    found: dict[str, Localization] = defaultdict(lambda: Localization([], [], []))
    for number, line in numbered_lines(path):
        parts = line.split(",")
        try:
            x0, y0, x1, y1 = map(float, parts[-4:])
            image_id = ",".join(parts[:-4])
        except ValueError:
            if len(parts) != 3:
                raise malformed(path, number, line, "path,x0,y0,x1,y1 or path,mask_path,ignore_path") from None
            image_id, mask, ignore = (part.strip() for part in parts)
            if ignore and found[image_id].ignore not in ([], [ignore]):
                raise DataError(f"{path}, line {number}: {image_id!r} has a second ignore file. Keep one.") from None
            found[image_id].masks.append(mask)
            found[image_id].ignore[:] = [ignore] if ignore else found[image_id].ignore
        else:
            box = [x0, y0, x1 + 1, y1 + 1]  # ends are inclusive in the file
            found[image_id].boxes.append(checked_box(box, f"{path}, line {number}"))
        if image_id not in known:
            raise DataError(f"{path}, line {number}: {image_id!r} is not in image_ids.txt. Correct the line.")
    refuse_fractions(([x0, y0, x1 - 1, y1 - 1] for each in found.values() for x0, y0, x1, y1 in each.boxes), str(path))
    return found
