"""The layout of PASCAL VOC 2007 to 2012."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsolkit.datasets.layout_dataset import LayoutDataset
from wsolkit.datasets.layouts.pascal_voc import VOC_CLASSES, VocLayout

__all__ = ["VOC_CLASSES", "PascalVOC"]


class PascalVOC(LayoutDataset):
    """Images in the layout of PASCAL VOC, multi-label.

    Labels come from the lists ``ImageSets/<image_set>/<class>_<split>.txt`` (1 present, 0 only as difficult objects,
    -1 absent) where they are, else from the object names in the annotations; no box is read for them. A class that is
    present only as difficult objects counts as present, as in the published classification results, and is recorded in
    ``difficult_labels``. Boxes, 1-based and inclusive in the files, become half open from 0: (xmin - 1, ymin - 1, xmax,
    ymax). Image ids are the names in the split file.

    Args:
        data_root: folder with ``JPEGImages``, ``Annotations`` and ``ImageSets``, such as ``VOCdevkit/VOC2012``.
        split: name of a file in ``ImageSets/<image_set>``, such as ``train``.
        image_set: ``Main``, ``Segmentation`` or another folder of ``ImageSets``.
        classes: names of the classes to use, in this order; by default the twenty. Of these, others are left out;
            for data of your own in this layout, name all of its classes.
        masks: read class masks (``SegmentationClass``) of the images that have one where ``load_targets`` is set.
        **options: see ``ImageDataset``.

    Raises:
        DataError: a file is missing or malformed, or names an unknown class.
    """

    multi_label = VocLayout.multi_label

    def __init__(
        self,
        data_root: str = "",
        split: str = "train",
        image_set: str = "Main",
        classes: Sequence[str] | None = None,
        masks: bool = True,
        **options: Any,
    ) -> None:
        self.layout = VocLayout(data_root, split, image_set, classes, masks)
        super().__init__(data_root=data_root, split=split, **options)
