"""What an engineer has: photographs in a folder for each class, or beside a table of labels, and perhaps some boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsolkit.datasets.background import without_background
from wsolkit.datasets.layout_dataset import LayoutDataset
from wsolkit.datasets.layouts.image_folder import FolderLayout
from wsolkit.datasets.layouts.image_table import TableLayout, tables_in
from wsolkit.datasets.record import Record

__all__ = ["ImageFolder", "layout_of"]


class ImageFolder(LayoutDataset):
    """Images in one folder per class, single-label; or images whose labels a table tells, of any number each.

    Class folders are either ``<data_root>/<split>/<class>/...`` or, without split folders, ``<data_root>/<class>/...``,
    divided by ``split_fractions``. Split folders may be called train or training; val, valid or validation; test or
    testing, in any case. Files may be nested deeper. Anything whose name begins with a dot, folders that systems make,
    and anything without an image's suffix, is left out; each real folder is read once, whatever links lead to it.
    Classes are the folder names of all splits, sorted. Image ids are paths below ``data_root``. ``wsolkit data check``
    prints how folders were understood, and what was left out.

    A table is a CSV file of lines ``image,label[,label...]``, with a heading or without, or with a column of 0 and 1
    for each class, which the heading names; see ``wsolkit.datasets.label_tables``. It names images relative to its own
    folder or to ``data_root``; one that is called otherwise is told by the name of its file, where one image alone has
    it. A column ``split`` divides them, or else ``split_fractions``. The data are multi-label if an image has several
    labels, or none in columns of 0 and 1. A folder of Hugging Face, with ``metadata.csv`` or ``metadata.jsonl`` that
    has ``file_name`` and ``label``, in the root or in the folder of each split, is read likewise.

    Args:
        data_root: folder with the split folders, the class folders or, for a table, the images; or the table itself.
        split: ``train``, ``val``, ``test`` or the name of another split folder; ``all`` for the images of every split.
        classes: names of the class folders to use, in this order; by default all.
        split_fractions: the parts of train, val and test where there are no split folders. Each class is divided by a
            hash of the names: disjoint, and the same on every machine. Give the same to every split.
        background: names of classes whose images show none of the things the others show, such as ``["free"]`` beside
            defects. They are no classes, and their images have no label; the data are multi-label then.
        labels: the table of labels; a path like any other, or one below ``data_root``, which comes first.
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
        labels: str | None = None,
        background: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self.background = tuple(background)
        self.layout = layout_of(data_root, split, labels, classes, split_fractions, boxes)
        super().__init__(data_root=data_root, split=split, **options)

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names; a table says then whether the data are multi-label."""
        records, classes = super().load_records()
        self.multi_label = self.layout.multi_label or bool(self.background)
        return without_background(records, classes, self.background) if self.background else (records, classes)


def layout_of(
    data_root: str,
    split: str = "train",
    labels: str | None = None,
    classes: Sequence[str] | None = None,
    split_fractions: Sequence[float] = (0.8, 0.1, 0.1),
    boxes: str | None = None,
) -> TableLayout | FolderLayout:
    """Return the layout of photographs: that of a table where there is one, or else that of class folders."""
    if labels is not None or Path(data_root).is_file() or tables_in(Path(data_root)):
        return TableLayout(data_root, split, labels, classes, split_fractions, boxes)
    return FolderLayout(data_root, split, classes, split_fractions, boxes)
