"""Image-level classification losses; soft labels are allowed in both, several classes of an image in one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit.errors import ShapeError
from wsolkit.interfaces import Activation, Batch, Loss
from wsolkit.interfaces.labels import ONE

__all__ = ["BinaryCrossEntropy", "CrossEntropy", "CrossEntropyOrNothing", "label_rows", "logits_and_labels"]


def logits_and_labels(
    loss: Loss, activation: Activation, batch: Batch, extra: str | None = None
) -> tuple[Tensor, Tensor]:
    """Return logits (B, K) and labels, or say which part lacks them.

    Args:
        loss: what asks, for messages.
        activation: holds the logits.
        batch: holds the labels.
        extra: name of the extra of the activation that holds the logits, for a head with several; None for its own.

    Raises:
        HeadError: the head gives no such logits.
        ShapeError: the batch has no labels, or soft labels have another number of classes.
    """
    name = type(loss).__name__
    logits = activation.need("logits" if extra is None else extra, loss)
    if batch.labels is None:
        raise ShapeError(f"{name} needs labels, but the batch has none. Give the data set class labels.")
    labels = batch.labels
    if labels.ndim == 2 and labels.shape != logits.shape:
        raise ShapeError(
            f"The labels are {tuple(labels.shape)} and the logits {tuple(logits.shape)}: the data set and the head "
            "disagree about the number of classes. Set model.head.num_classes to that of the data."
        )
    if labels.ndim == 1 and labels.numel() and int(labels.max()) >= logits.shape[1]:
        raise ShapeError(
            f"A label is {int(labels.max())}, but the head has {logits.shape[1]} classes (0..{logits.shape[1] - 1}). "
            "Set model.head.num_classes to that of the data."
        )
    return logits, labels


def label_rows(labels: Tensor, num_classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return labels as rows (B, K), whichever way they were given.

    Args:
        labels: (B,) indices below K, or (B, K) multi-hot or soft.
        num_classes: K.
        dtype: of the rows.

    >>> label_rows(torch.tensor([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    >>> label_rows(torch.tensor([[1, 0, 1]]), 3).tolist()
    [[1.0, 0.0, 1.0]]
    """
    return (F.one_hot(labels, num_classes) if labels.ndim == 1 else labels).to(dtype)


class CrossEntropy(Loss):
    """Cross entropy of the softmax, for one class per image.

    Args:
        label_smoothing: share of the label spread over all classes.
        logits: name of an extra of the head with the logits (B, K) of another branch (``early_logits``); those of the
            head itself by default.
    """

    takes_labels = ONE

    def __init__(self, label_smoothing: float = 0.0, logits: str | None = None) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.logits = logits

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the mean over the batch; labels are (B,) indices or (B, K) probabilities.

        Raises:
            ShapeError: see ``logits_and_labels``; also where the labels of an image do not add up to 1.
        """
        logits, labels = logits_and_labels(self, activation, batch, self.logits)
        return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)


class BinaryCrossEntropy(Loss):
    """Cross entropy of a sigmoid per class, for several classes per image (MultiLabelSoftMarginLoss).

    Args:
        logits: name of an extra of the head with the logits (B, K) of another branch; those of the head by default.
    """

    def __init__(self, logits: str | None = None) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the mean over batch and classes; labels are (B, K) in [0, 1] or (B,) indices."""
        logits, labels = logits_and_labels(self, activation, batch, self.logits)
        return F.binary_cross_entropy_with_logits(logits, label_rows(labels, logits.shape[1], logits.dtype))


class CrossEntropyOrNothing(Loss):
    """Cross entropy of the softmax over the classes and "nothing", whose score is always 0, for images of at most one.

    An image that shows none of the classes has labels of zeros. Its label teaches every class map to stay below 0
    everywhere, while "nothing" has no map of its own that could explain an image away, so that the maps of the classes
    are high where the thing is.

    Args:
        logits: name of an extra of the head with the logits (B, K) of another branch; those of the head by default.
    """

    def __init__(self, logits: str | None = None) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the mean over the batch; labels are (B, K) in [0, 1] with sums up to 1, or (B,) indices.

        Raises:
            ShapeError: see ``logits_and_labels``; also where an image has several classes.
        """
        logits, labels = logits_and_labels(self, activation, batch, self.logits)
        logits = torch.cat([logits, torch.zeros_like(logits[:, :1])], 1)  # (B, K + 1)
        if labels.ndim == 1:
            return F.cross_entropy(logits, labels)
        nothing = 1 - labels.sum(1, keepdim=True)
        if bool((nothing < -1e-2).any()):
            place = int((nothing[:, 0] < -1e-2).nonzero()[0])
            raise ShapeError(
                f"CrossEntropyOrNothing takes images of one class or none, but the labels of image {place} of the "
                f"batch add up to {float(labels[place].sum()):g}. For images with several classes use "
                "BinaryCrossEntropy.",
                about="CrossEntropyOrNothing",
            )
        return F.cross_entropy(logits, torch.cat([labels, nothing.clamp_min(0)], 1).to(logits.dtype))
