"""The layout an engineer has: one folder of photographs for each class, and perhaps some boxes to evaluate with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsolkit.datasets.layout_dataset import LayoutDataset
from wsolkit.datasets.layouts.image_folder import FolderLayout

__all__ = ["ImageFolder"]


class ImageFolder(LayoutDataset):
    """Images in one folder per class, single-label.

    Either ``<data_root>/<split>/<class>/...`` or, without split folders, ``<data_root>/<class>/...``, divided by
    ``split_fractions``. Split folders may be called train or training; val, valid or validation; test or testing, in
    any case. Files may be nested deeper. Anything whose name begins with a dot, folders that systems make, and anything
    without an image's suffix, is left out; each real folder is read once, whatever links lead to it. Classes are the
    folder names of all splits, sorted. Image ids are paths below ``data_root``. ``wsolkit data check`` prints how
    folders were understood, and what was left out.

    Args:
        data_root: folder with the split folders or the class folders.
        split: ``train``, ``val``, ``test`` or the name of another split folder; without split folders also ``all``.
        classes: names of the class folders to use, in this order; by default all.
        split_fractions: the parts of train, val and test where there are no split folders. Each class is divided by a
            hash of the names: disjoint, and the same on every machine. Give the same to every split.
        boxes: boxes for evaluation, read only where ``load_targets`` is set: a CSV file ``path,x0,y0,x1,y1[,class]``
            (half open, pixels) or ``boxes.csv`` of wsolkit, a COCO JSON file, a folder of PASCAL VOC XML files
            (1-based and inclusive, as VOC), or a folder of YOLO's (``labels`` and ``data.yaml``). The path is one like
            any other, or below ``data_root``, which comes first. An image that is called otherwise there (another
            folder, a hash before the name, an address) is told by the name of its file where one image alone has it,
            with a warning.
        **options: see ``ImageDataset``.

    Raises:
        DataError: there are no images, or boxes are malformed or belong to no image.
        ConfigError: there is no such split or class.
    """

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        classes: Sequence[str] | None = None,
        split_fractions: Sequence[float] = (0.8, 0.1, 0.1),
        boxes: str | None = None,
        **options: Any,
    ) -> None:
        self.layout = FolderLayout(data_root, split, classes, split_fractions, boxes)
        super().__init__(data_root=data_root, split=split, **options)
