"""The data set class of the layouts that can be read without torch."""

from __future__ import annotations

import numpy as np

from wsolkit.datasets.images import ImageDataset
from wsolkit.datasets.layouts.layout import Layout, Understood
from wsolkit.datasets.record import Record

__all__ = ["LayoutDataset"]


class LayoutDataset(ImageDataset):
    """Images in a layout that can be read without torch; subclasses set ``layout`` before they call ``__init__``.

    Attributes:
        layout: reads the records and the masks.
    """

    layout: Layout

    def load_records(self) -> tuple[list[Record], list[str]]:
        """Return the records of the split and the class names."""
        return self.layout.records(self.load_targets)

    def understood(self) -> Understood:
        """Return how the layout understood its folders."""
        return self.layout.understood()

    def read_mask(self, record: Record) -> np.ndarray | None:
        """Return the (H, W) uint8 class mask (0 background, k + 1 class k, 255 ignored), or None without masks."""
        return self.layout.mask(record)
