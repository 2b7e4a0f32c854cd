"""What a training minimises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from wsolkit.arguments import Checked
from wsolkit.interfaces.labels import ANY, ONE, LabelKind, check_one_class
from wsolkit.interfaces.tensors import Activation, Batch

__all__ = ["Loss"]


class Loss(Checked, nn.Module, ABC):
    """Scores an activation against what the batch says: a scalar, or several named ones.

    It is called with autocast turned off, so that logarithms, exponentials and divisions are those of float32.

    Attributes:
        takes_labels: ``one`` where every image has to have one class, labels (B,) or rows (B, K) that add up to 1;
            others are refused, data with such images before a training begins.
        indexes_labels: whether it asks which classes an image shows, and not how much of each; it is then refused
            beside a ``BatchTransform`` that mixes labels.
        otherwise: what a refusal advises beside another head, see ``Activation.need``.
    """

    otherwise: ClassVar[str] = "leave {part} out of the losses"
    takes_labels: LabelKind = ANY
    indexes_labels: bool = False

    def __init__(self) -> None:
        super().__init__()

    def __call__(self, activation: Activation, batch: Batch) -> Any:
        """Return what ``forward`` does, where it has no complaint of its own and the labels are of the kind it takes.

        Raises:
            ShapeError: an image has several classes or none, and the loss takes one.
        """
        with torch.autocast(batch.images.device.type, enabled=False):
            found = super().__call__(activation, batch)
        if self.takes_labels == ONE:
            check_one_class(type(self).__name__, batch.labels)
        return found

    @abstractmethod
    def forward(self, activation: Activation, batch: Batch) -> Tensor | dict[str, Tensor]:
        """Return a scalar, or named scalars that are added up."""

    def prepare_training(self) -> None:
        """Read what training needs and prediction does not; called before a training writes or removes anything."""
