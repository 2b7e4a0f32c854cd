"""The official layout of Caltech-UCSD Birds-200-2011."""

from __future__ import annotations

from typing import Any

from wsolkit.datasets.layout_dataset import LayoutDataset
from wsolkit.datasets.layouts.cub200 import Cub200Layout

__all__ = ["CUB200"]


class CUB200(LayoutDataset):
    """CUB-200-2011 as its authors distribute it: one bird with one box in each image.

    Boxes, x, y, width, height in the files, become (x, y, x + width, y + height). Image ids are the paths of
    ``images.txt``. The data has no validation split: ``val_per_class`` takes one out of train, the same on every
    machine; for the 1,000 images of CUBV2 use ``WsolMetadata``.

    Args:
        data_root: folder with ``images.txt``, or the one above it.
        split: ``train``, ``val`` or ``test``.
        val_per_class: images of each class that are in ``val`` and not in ``train``. Give it to both.
        masks: read masks (``segmentations``, inside or beside the folder) where ``load_targets`` is set.
        **options: see ``ImageDataset``.

    Raises:
        DataError: a file is missing or malformed.
        ConfigError: the split is unknown, or ``val`` is asked for without ``val_per_class``.
    """

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        val_per_class: int = 0,
        masks: bool = False,
        **options: Any,
    ) -> None:
        self.layout = Cub200Layout(data_root, split, val_per_class, masks)
        super().__init__(data_root=data_root, split=split, **options)
