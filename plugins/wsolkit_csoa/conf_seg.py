"""The loss of confidence segmentation: the early branch classifies, and follows the late one where that is sure."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import Activation, Batch, Loss, ShapeError
from wsolkit.components import label_rows
from wsolkit_csoa.confidence import Reduction, inner_distance
from wsolkit_csoa.labels import known_labels, present_classes
from wsolkit_csoa.ramp import linear_ramp

__all__ = ["ConfSeg", "early_cross_entropy"]

Classification = Literal["softmax", "sigmoid"]


def early_cross_entropy(logits: Tensor, labels: Tensor, classification: Classification = "softmax") -> Tensor:
    """Return the cross entropy of the early logits y_F, a mean over the batch.

    Args:
        logits: (B, K).
        labels: (B,) indices, or (B, K).
        classification: ``softmax`` for one class per image, ``sigmoid`` for several.

    Raises:
        ShapeError: an image has several classes or none, and the softmax is asked for.
    """
    if classification == "sigmoid":
        return F.binary_cross_entropy_with_logits(logits, label_rows(labels, logits.shape[1], logits.dtype))
    if labels.ndim == 2 and bool(((labels.sum(1) - 1).abs() > 1e-3).any()):
        raise ShapeError(
            "ConfSeg classifies by a softmax, for one class per image, but the labels of an image do not add up to 1. "
            "For images with several classes set dict(type='ConfSeg', classification='sigmoid') and use "
            "BinaryCrossEntropy beside it."
        )
    return F.cross_entropy(logits, labels)


class ConfSeg(Loss):
    """Trains the early branch to classify, and to agree with the late one where that is sure (CSoA, eq. 2 to 6).

    The cells where the late map S_L of the labelled class is far from its mean, on either side, are a mask; there the
    early map S_F is drawn to S_L, elsewhere it is free. The weight of that, alpha, grows with the training. Where an
    image has several classes, the maps of every present class count. The cross entropy of the late logits is not part
    of it: add ``CrossEntropy``.

    Args:
        max_alpha: the weight of the distance when it has grown.
        ramp: the share of the training during which alpha grows from 0 to ``max_alpha``; 0 is the whole weight at once.
        reduction: ``mean`` over the sure cells of a map, or their ``sum`` as printed, which grows with the map.
        detach: whether S_L is a constant in the distance; if not, it is drawn to the early map as well.
        classification: how the early logits are classified: ``softmax`` or ``sigmoid``.

    Raises:
        ConfigError: a setting is out of range or unknown.
    """

    indexes_labels = True

    def __init__(
        self,
        max_alpha: Annotated[float, "at least 0"] = 1.0,
        ramp: Annotated[float, "in [0, 1]"] = 0.5,
        reduction: Reduction = "mean",
        detach: bool = True,
        classification: Classification = "softmax",
    ) -> None:
        super().__init__()
        self.max_alpha = max_alpha
        self.ramp = ramp
        self.reduction = reduction
        self.detach = detach
        self.classification = classification
        self.takes_labels = "one" if classification == "softmax" else "any"

    def alpha(self, progress: float) -> float:
        """Return the weight of the distance at a progress in [0, 1]."""
        return self.max_alpha * linear_ramp(progress, self.ramp)

    def forward(self, activation: Activation, batch: Batch) -> dict[str, Tensor]:
        """Return ``early``, the cross entropy of y_F, and ``inner``, alpha times the distance.

        Raises:
            HeadError: the head has no early branch.
            ShapeError: the labels do not fit.
        """
        early_maps, early_logits = activation.need("early_maps", self).float(), activation.need("early_logits", self)
        labels = known_labels("ConfSeg", batch, early_logits.shape[1])
        rows, classes = present_classes(labels)
        with torch.autocast(early_maps.device.type, enabled=False):
            late = activation.maps[rows, classes]  # (P, h, w)
            late = late.detach() if self.detach else late
            inner = inner_distance(late, early_maps[rows, classes], self.reduction)
            return {
                "early": early_cross_entropy(early_logits, labels, self.classification),
                "inner": self.alpha(batch.progress) * inner,
            }
