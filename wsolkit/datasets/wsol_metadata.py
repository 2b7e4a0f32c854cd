"""The layout of wsolevaluation: one folder of comma-separated lists for each split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wsolkit.datasets.images import ImageDataset, file_in
from wsolkit.datasets.record import Record
from wsolkit.errors import DataError
from wsolkit.evaluation.class_masks import IGNORED, fit_mask, mask_value
from wsolkit.formats.masks import read_binary_mask
from wsolkit.formats.text_lists import malformed, numbered_lines, read_class_names, split_line, whole_number

__all__ = ["WsolMetadata"]


class Truth(NamedTuple):
    """What ``localization.txt`` says of one image: boxes (half open), mask files, and the file of ignored pixels."""

    boxes: list[list[float]]
    masks: list[str]
    ignore: list[str]


class WsolMetadata(ImageDataset):
    """CUB, ILSVRC and OpenImages30k as wsolevaluation lists them, or data of your own in that layout.

    ``<metadata>/<split>/`` holds ``image_ids.txt``, ``class_labels.txt`` (id,label), ``image_sizes.txt``
    (id,width,height; may be empty) and, for evaluation, ``localization.txt``: ``id,x0,y0,x1,y1`` for boxes or
    ``id,mask,ignore`` for masks, one line each. Boxes in the files are 0-based with inclusive ends; here they are half
    open: (x0, y0, x1 + 1, y1 + 1). They are in pixels of ``image_sizes.txt`` and scaled where the stored image has
    another size. Image ids are the paths of ``image_ids.txt``. ``localization.txt`` is opened only where
    ``load_targets`` is set: the one of CUB's training split does hold boxes.

    Args:
        data_root: folder the other paths are relative to.
        split: folder below ``metadata``: ``train``, ``val`` or ``test``.
        metadata: folder of the splits.
        images: folder the image ids are relative to.
        mask_root: folder the paths of masks are relative to; ``images`` by default.
        classes: class names by label; by default those of ``<metadata>/classes.txt`` (``label,name``, or one name per
            line), or the numbers where there is no such file.
        proxy: read ``image_ids_proxy.txt``, ILSVRC's smaller training list for hyper-parameter search.
        **options: see ``ImageDataset``.

    Raises:
        DataError: a list is missing or malformed, or two lists contradict each other.
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
        **options: Any,
    ) -> None:
        self.metadata = Path(data_root) / metadata
        self.images = Path(data_root) / images
        self.mask_root = self.images if mask_root is None else Path(data_root) / mask_root
        self.names = classes
        self.proxy = proxy
        super().__init__(data_root=data_root, split=split, **options)

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        folder = self.metadata / self.split
        ids_file = file_in(folder, "image_ids_proxy.txt" if self.proxy else "image_ids.txt", "The list of images")
        ids = [line for _, line in numbered_lines(ids_file)]
        classes = class_names(self.metadata) if self.names is None else list(self.names)
        labels_file = file_in(folder, "class_labels.txt", "The list of labels")
        labels = read_labels(labels_file, classes)
        sizes = read_sizes(folder / "image_sizes.txt")
        truth = self.read_truth(folder) if self.load_targets else None
        records = []
        for image_id in ids:
            if image_id not in labels:
                raise DataError(f"{labels_file} has no label for {image_id!r} of {ids_file.name}. Add the line.")
            record: Record = {
                "image_id": image_id,
                "image_path": str(self.images / image_id),
                "labels": [labels[image_id]],
            }
            if image_id in sizes:
                record["size"] = sizes[image_id]
            if truth is not None:
                add_truth(record, truth[image_id], self.mask_root)
            records.append(record)
        return records, classes

    def read_truth(self, folder: Path) -> dict[str, Truth]:
        """Return what ``localization.txt`` says, by image; only here is that file opened.

        Raises:
            DataError: it is missing, empty or malformed, or names an image that is not in the split.
        """
        path = file_in(folder, "localization.txt", f"The boxes or masks of split {self.split!r}")
        # Not the proxy list: boxes of the images it leaves out are no mistake.
        known = {line for _, line in numbered_lines(file_in(folder, "image_ids.txt", "The list of images"))}
        truth = read_localization(path, known)
        if not truth:
            raise DataError(f"{path} holds no boxes or masks. Set load_targets=False for split {self.split!r}.")
        return truth

    def read_mask(self, record: Record) -> np.ndarray | None:
        """Return the mask: the union of the image's instances, 255 where the ignore file says so and no instance is.

        Returns:
            The mask with the image's class, at the size of its first file, or None for an image without masks.
        """
        if not record.get("mask_paths"):
            return None
        layers = [read_binary_mask(path) for path in record["mask_paths"]]
        height, width = layers[0].shape
        inside = np.logical_or.reduce([fit_mask(layer, (width, height)) for layer in layers])
        mask = inside.astype(np.uint8) * mask_value(record["labels"][0])
        if "ignore_path" in record:
            ignored = fit_mask(read_binary_mask(record["ignore_path"]), (width, height))
            mask[ignored & ~inside] = IGNORED
        return mask


def add_truth(record: Record, truth: Truth, mask_root: Path) -> None:
    """Put boxes and mask paths into a record."""
    record["boxes"] = truth.boxes
    record["box_labels"] = record["labels"] * len(truth.boxes)
    if truth.masks:
        record["mask_paths"] = [str(mask_root / mask) for mask in truth.masks]
    if truth.ignore:
        record["ignore_path"] = str(mask_root / truth.ignore[0])


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
    allowed = range(2**31) if classes is None else range(len(classes))
    found = {}
    for number, line in numbered_lines(path):
        image_id, text = split_line(path, number, line, "path,label")
        found[image_id] = whole_number(path, number, text, "label", allowed)
    return found


def read_sizes(path: Path) -> dict[str, tuple[int, int]]:
    """Return (width, height) of each image; nothing for a file that is empty or not there, as for OpenImages."""
    found = {}
    for number, line in numbered_lines(path) if path.exists() else ():
        image_id, *texts = split_line(path, number, line, "path,width,height")
        width, height = (whole_number(path, number, text, "size", range(1, 2**31)) for text in texts)
        found[image_id] = (width, height)
    return found


def read_localization(path: Path, known: set[str]) -> dict[str, Truth]:
    """Return the boxes or masks of each image.

    Raises:
        DataError: a line is neither a box nor a mask, names an image not in ``known``, or a second ignore file.
    """
    found: dict[str, Truth] = defaultdict(lambda: Truth([], [], []))
    for number, line in numbered_lines(path):
        parts = line.split(",")
        try:
            x0, y0, x1, y1 = map(float, parts[-4:])
            image_id = ",".join(parts[:-4])
            found[image_id].boxes.append([x0, y0, x1 + 1, y1 + 1])  # ends are inclusive in the file
        except ValueError:
            if len(parts) != 3:
                raise malformed(path, number, line, "path,x0,y0,x1,y1 or path,mask_path,ignore_path") from None
            image_id, mask, ignore = (part.strip() for part in parts)
            if ignore and found[image_id].ignore not in ([], [ignore]):
                raise DataError(f"{path}, line {number}: {image_id!r} has a second ignore file. Keep one.") from None
            found[image_id].masks.append(mask)
            found[image_id].ignore[:] = [ignore] if ignore else found[image_id].ignore
        if image_id not in known:
            raise DataError(f"{path}, line {number}: {image_id!r} is not in image_ids.txt. Correct the line.")
    return found
