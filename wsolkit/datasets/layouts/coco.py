"""COCO's layout: a folder of images and one JSON file of instances."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from wsolkit.datasets.image_walk import images_below
from wsolkit.datasets.layouts.layout import Layout, Metadata, each_once, file_in, image_file
from wsolkit.datasets.record import Record
from wsolkit.errors import ConfigError, DataError, nearest, noting
from wsolkit.formats.checked_boxes import refuse_fractions
from wsolkit.formats.coco import Instances, corners, read_instances
from wsolkit.formats.coco_entries import is_crowd
from wsolkit.formats.coco_outlines import class_mask
from wsolkit.formats.image_names import ImageNames
from wsolkit.names import Known

__all__ = ["CocoLayout"]


class CocoLayout(Layout):
    """A split of COCO, or another JSON file of instances; see ``wsolkit.datasets.coco.COCO``.

    Args:
        data_root: folder with the JSON file and the images.
        split: name of the split.
        annotations: JSON file below ``data_root``.
        images: image folder below ``data_root``.
        classes: names of the classes to use, in this order; all by default.
        masks: read class masks from the outlines; None for: where every image says its size, which masks need.

    Attributes:
        category_ids: the category id of each class, once the records were read.
    """

    multi_label = True

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        annotations: str | None = None,
        images: str | None = None,
        classes: Sequence[str] | None = None,
        masks: bool | None = True,
    ) -> None:
        self.data_root = data_root
        self.split = split
        self.annotations = annotations or f"annotations/instances_{split}.json"
        self.images = split if images is None else images
        self.chosen = None if classes is None else each_once(classes)
        self.masks = masks
        self.category_ids: tuple[Any, ...] = ()
        self._read: Instances | None = None

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Self | None:
        """Return the split of a ``.json`` file that is COCO's; its outlines are masks where sizes are stated."""
        path = metadata.path
        if not path.is_file() or path.suffix.lower() != ".json":
            return None
        try:
            read = read_instances(path)
        except DataError:
            return None
        folder = str(metadata.images or "")
        found = cls("", metadata.split or path.stem, str(path.absolute()), folder, metadata.classes, masks=None)
        found.finds_images = metadata.images is not None
        found.image_root = Path(folder)
        found._read = read
        return found

    def records(self, targets: bool) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        path = file_in(self.data_root, self.annotations, f"The instances of split {self.split!r}")
        instances, self._read = self._read or read_instances(path), None
        ids = {name: category for category, name in instances.categories.items()}
        known = Known(ids)
        classes = list(ids) if self.chosen is None else list(self.chosen)
        label_of = {}
        for label, name in enumerate(classes):
            category = known.find(name)
            if category is None:
                raise ConfigError(f"Class {name!r} is no category of {path}. {nearest(name, ids)}")
            label_of[ids[category]] = label
        self.category_ids = tuple(label_of)
        folder = Path(self.data_root) / self.images
        with_masks = self.masks
        if with_masks is None:
            with_masks = all(image.get("width") and image.get("height") for image in instances.images.values())
        files = self.files(folder, instances)
        records = []
        for image_id, image in instances.images.items():
            found = [a for a in instances.annotations.get(image_id, []) if a["category_id"] in label_of]
            labels = [label_of[annotation["category_id"]] for annotation in found]
            crowd = [is_crowd(annotation) for annotation in found]
            clear = {label for label, is_crowd in zip(labels, crowd, strict=True) if not is_crowd}
            record: Record = {
                "image_id": str(image_id),
                "image_path": files[image_id],
                "labels": sorted(set(labels)),
                "difficult_labels": sorted(set(labels) - clear),
            }
            if image.get("width") and image.get("height"):  # 0 where nobody knew
                record["size"] = (image["width"], image["height"])
            if targets:
                record["boxes"] = [corners(annotation, path) for annotation in found]
                record["box_labels"] = labels
                record["difficult"] = crowd
                if with_masks:
                    if "size" not in record:
                        raise DataError(
                            f"COCO file {path}: image {image_id} lacks width or height, which masks need. "
                            "Add them, or set masks=False."
                        )
                    record["segmentations"] = [annotation.get("segmentation") for annotation in found]
            records.append(record)
        if targets:
            refuse_fractions((box for record in records for box in record["boxes"]), f"COCO file {path}")
        return records, classes

    def files(self, folder: Path, instances: Instances) -> dict[Any, str]:
        """Return the file of each image; where the first is not there, files are told by their names.

        Raises:
            DataError: a name may be that of several files.
        """
        listed = {number: image["file_name"] for number, image in instances.images.items()}
        found = {number: image_file(folder, name) for number, name in listed.items()}
        if not self.finds_images or not found or Path(next(iter(found.values()))).exists():
            return found
        names = ImageNames(images_below(folder))
        for number, name in listed.items():
            with noting(f"in COCO file {instances.path}"):
                image = names.find(name)
            found[number] = found[number] if image is None else str(folder / image)
        if told := names.told(f"COCO file {instances.path}"):
            warnings.warn(told, stacklevel=2)
        return found

    def mask(self, record: Record) -> np.ndarray | None:
        """Return the class mask painted from the outlines, crowds ignored, or None where masks are not read."""
        if "segmentations" not in record:
            return None
        try:
            return class_mask(record["segmentations"], record["box_labels"], record["difficult"], record["size"])
        except DataError as error:
            raise DataError(f"COCO image {record['image_id']}: {error}") from error
