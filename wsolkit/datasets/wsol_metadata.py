"""The layout of wsolevaluation: one folder of comma-separated lists for each split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsolkit.datasets.layout_dataset import LayoutDataset
from wsolkit.datasets.layouts.wsol_metadata import WsolLayout

__all__ = ["WsolMetadata"]


class WsolMetadata(LayoutDataset):
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
        self.layout = WsolLayout(data_root, split, metadata, images, mask_root, classes, proxy)
        super().__init__(data_root=data_root, split=split, **options)
