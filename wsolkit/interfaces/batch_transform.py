"""The interface of what changes a whole training batch before the network sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from wsolkit.arguments import Checked
from wsolkit.interfaces.tensors import Batch

__all__ = ["BatchTransform"]


class BatchTransform(Checked, ABC):
    """Changes a training batch before the forward pass: its images, its labels, or how many there are.

    Named in ``model.batch_transforms``, which are applied in order, in training only. Whatever it draws comes from
    torch's own generator, so that a resumed training draws the same. A subclass whose ``__init__`` takes
    ``num_classes`` or ``class_names`` is told those of the data.

    Attributes:
        mixes_labels: whether the labels it returns are shares of several classes, (B, K) rows that add up to what
            those of the images did. It is then refused beside heads, losses and modifiers with ``indexes_labels``.
        reads_pixels: whether it needs the images themselves, and not just labels; it is then refused in a training on
            cached features.
    """

    mixes_labels: ClassVar[bool] = False
    reads_pixels: ClassVar[bool] = True

    @abstractmethod
    def __call__(self, batch: Batch) -> Batch:
        """Return the batch that heads, losses and modifiers are to see; ``dataclasses.replace`` makes one.

        The one it is given stays as it is. Where there are more or fewer images afterwards, labels, names and extras
        have to go with them.

        Args:
            batch: images (B, 3, H, W), normalised, with labels (B,) or (B, K), names and extras.
        """
