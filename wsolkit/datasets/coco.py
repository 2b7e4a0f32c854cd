"""The layout of COCO: a folder of images and one JSON file of instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsolkit.datasets.layout_dataset import LayoutDataset
from wsolkit.datasets.layouts.coco import CocoLayout
from wsolkit.datasets.record import Record

__all__ = ["COCO"]


class COCO(LayoutDataset):
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

    multi_label = CocoLayout.multi_label
    layout: CocoLayout

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
        self.layout = CocoLayout(data_root, split, annotations, images, classes, masks)
        super().__init__(data_root=data_root, split=split, **options)

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        found = super().load_records()
        self._metainfo["category_ids"] = self.layout.category_ids
        return found
