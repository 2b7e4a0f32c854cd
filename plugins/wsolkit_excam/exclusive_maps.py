"""A loss that keeps the maps of one class apart."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from wsolkit import Activation, Batch, Loss, ShapeError
from wsolkit.components import label_rows, mean_cosine

__all__ = ["ExclusiveMaps", "mean_square_distance"]

EXTRA = "maps_per_class"
Form = Literal["cosine", "distance"]


def mean_square_distance(maps: Tensor) -> Tensor:
    """Return the sum over all ordered pairs of the M maps of each class of |U_i - U_j|^2 (ex-CAM, section 3.8.1).

    Args:
        maps: (B, K, M, h, w).

    Returns:
        (B, K), divided by the number of pairs and of cells.

    >>> mean_square_distance(torch.tensor([1.0, 4.0]).view(1, 1, 2, 1, 1)).tolist()
    [[9.0]]
    """
    cells = maps.flatten(3)
    centred = cells - cells.mean(2, keepdim=True)
    return 2 * centred.square().mean(3).sum(2) / (maps.shape[2] - 1)


class ExclusiveMaps(Loss):
    """Asks the maps of one class to differ: their mean cosine similarity, to be added (ex-CAM, section 3.8.1).

    It reads the raw maps of a head with several maps per class: ``head=dict(type="ConvHead", maps_per_class=8)``.

    Args:
        form: ``cosine``, which is bounded, or ``distance``, minus the paper's squared distance (a mean over pairs and
            cells), which has no lower bound: the maps may grow without end.
        present_only: count only classes that the label has; ``False`` counts all.

    Raises:
        ConfigError: the form is unknown.
    """

    def __init__(self, form: Form = "cosine", present_only: bool = True) -> None:
        super().__init__()
        self.form = form
        self.present_only = present_only
        self.indexes_labels = present_only

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the mean over images and their classes; labels are (B,) indices or (B, K), present above .5.

        Raises:
            ConfigError: the head has no several maps per class.
            ShapeError: there are no labels, or of another number of classes.
        """
        maps = activation.need(EXTRA, self)
        with torch.autocast(maps.device.type, enabled=False):
            values = mean_cosine(maps.float()) if self.form == "cosine" else -mean_square_distance(maps.float())
        if not self.present_only:
            return values.mean()
        present = self.present(batch.labels, values)
        return (values * present).sum() / present.sum().clamp(min=1)

    def present(self, labels: Tensor | None, values: Tensor) -> Tensor:
        """Return which classes of which images count, (B, K) in the type of ``values``."""
        if labels is None:
            raise ShapeError(
                "ExclusiveMaps needs labels, but the batch has none. Give the data set class labels, or set "
                "present_only=False."
            )
        if labels.ndim == 1 and (not labels.numel() or int(labels.max()) < values.shape[1]):
            return label_rows(labels, values.shape[1], values.dtype)
        if labels.shape != values.shape:
            raise ShapeError(
                f"The labels are {tuple(labels.shape)}, but the head has maps of {tuple(values.shape)} images and "
                "classes, which ExclusiveMaps compares. Set model.head.num_classes to that of the data."
            )
        return (labels > 0.5).to(values.dtype)
