"""The layout of COCO: a folder of images and one JSON file of instances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit.datasets.images import ImageDataset, file_in
from wsolkit.datasets.record import Record
from wsolkit.errors import ConfigError, DataError, nearest
from wsolkit.formats.coco import corners, read_instances
from wsolkit.formats.coco_outlines import class_mask

__all__ = ["COCO"]


class COCO(ImageDataset):
    """Images and instances in COCO's layout, multi-label.

    Category ids, which have gaps, become classes 0 to K - 1 in the order of the ids; ``metainfo["category_ids"]`` has
    the ids by class. Image ids are the file's, as text. Crowds count as difficult objects; a class that is in an image
    only as a crowd is one of its labels and is recorded in ``difficult_labels``.

    Args:
        data_root: folder with ``annotations`` and the image folders.
        split: part of the default paths, such as ``train2017``.
        annotations: JSON file below ``data_root``; ``annotations/instances_<split>.json`` by default.
        images: image folder below ``data_root``; ``<split>`` by default.
        classes: names of the classes to use, in this order; all by default. Other categories are left out.
        masks: read class masks from the outlines where ``load_targets`` is set.
        **options: see ``ImageDataset``.

    Raises:
        DataError: the JSON is missing, broken, or refers to ids that it does not list.
        ConfigError: ``classes`` names an unknown category.
    """

    multi_label = True

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        annotations: str | None = None,
        images: str | None = None,
        classes: Sequence[str] | None = None,
        masks: bool = True,
        **options: Any,
    ) -> None:
        self.annotations = annotations or f"annotations/instances_{split}.json"
        self.images = split if images is None else images
        self.chosen = classes
        self.masks = masks
        super().__init__(data_root=data_root, split=split, **options)

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        path = file_in(self.data_root, self.annotations, f"The instances of split {self.split!r}")
        instances = read_instances(path)
        ids = {name: category for category, name in instances.categories.items()}
        classes = list(ids) if self.chosen is None else list(self.chosen)
        for name in classes:
            if name not in ids:
                raise ConfigError(f"Class {name!r} is no category of {path}. {nearest(name, ids)}")
        label_of = {ids[name]: label for label, name in enumerate(classes)}
        self._metainfo["category_ids"] = tuple(label_of)
        folder = Path(self.data_root) / self.images
        records = []
        for image_id, image in instances.images.items():
            found = [a for a in instances.annotations.get(image_id, []) if a["category_id"] in label_of]
            labels = [label_of[annotation["category_id"]] for annotation in found]
            crowd = [bool(annotation.get("iscrowd", 0)) for annotation in found]
            clear = {label for label, is_crowd in zip(labels, crowd, strict=True) if not is_crowd}
            record: Record = {
                "image_id": str(image_id),
                "image_path": str(folder / image["file_name"]),
                "labels": sorted(set(labels)),
                "difficult_labels": sorted(set(labels) - clear),
            }
            if image.get("width") and image.get("height"):  # 0 where nobody knew
                record["size"] = (image["width"], image["height"])
            if self.load_targets:
                record["boxes"] = [corners(annotation, path) for annotation in found]
                record["box_labels"] = labels
                record["difficult"] = crowd
                if self.masks:
                    if "size" not in record:
                        raise DataError(
                            f"COCO file {path}: image {image_id} lacks width or height, which masks need. "
                            "Add them, or set masks=False."
                        )
                    record["segmentations"] = [annotation.get("segmentation") for annotation in found]
            records.append(record)
        return records, classes

    def read_mask(self, record: Record) -> np.ndarray | None:
        """Return the class mask painted from the outlines, crowds ignored, or None where masks are not read."""
        if "segmentations" not in record:
            return None
        try:
            return class_mask(record["segmentations"], record["box_labels"], record["difficult"], record["size"])
        except DataError as error:
            raise DataError(f"COCO image {record['image_id']}: {error}") from error
