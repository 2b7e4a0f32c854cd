"""Which classes the images of a batch are labelled with, in either form of labels."""

from __future__ import annotations

import torch
from torch import Tensor

from wsolkit import Batch, ShapeError

__all__ = ["known_labels", "present_classes", "single_labels"]


def known_labels(part: str, batch: Batch, num_classes: int | None) -> Tensor:
    """Return the labels of a batch, (B,) or (B, K), after a look at whether they fit K, where that is known.

    Raises:
        ShapeError: there are none, or they are for another number of classes.
    """
    labels = batch.labels
    if labels is None:
        raise ShapeError(f"{part} needs labels, but the batch has none. Give the data set class labels.")
    if num_classes is None:
        return labels
    if labels.ndim == 2 and labels.shape[1] != num_classes:
        raise ShapeError(
            f"{part} got labels of {labels.shape[1]} classes and a head with {num_classes}. Set model.head.num_classes "
            "to that of the data."
        )
    if labels.ndim == 1 and labels.numel() and int(labels.max()) >= num_classes:
        raise ShapeError(
            f"{part} got the label {int(labels.max())}, but the head has {num_classes} classes "
            f"(0..{num_classes - 1}). Set model.head.num_classes to that of the data."
        )
    return labels


def present_classes(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows and classes of every (image, present class), for labels (B,) or (B, K); above .5 is present.

    >>> rows, classes = present_classes(torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]))
    >>> rows.tolist(), classes.tolist()
    ([0, 0, 1], [1, 2, 0])
    """
    if labels.ndim == 1:
        return torch.arange(len(labels), device=labels.device), labels
    rows, classes = torch.nonzero(labels > 0.5, as_tuple=True)
    return rows, classes


def single_labels(part: str, labels: Tensor) -> Tensor:
    """Return one class per image, (B,), of indices or of vectors with one class.

    Raises:
        ShapeError: a vector has several classes or none.

    >>> single_labels("CoAug", torch.eye(3)[[2, 0]]).tolist()
    [2, 0]
    """
    if labels.ndim == 1:
        return labels
    counts = (labels > 0.5).sum(1)
    if bool((counts != 1).any()):
        wrong = int(torch.nonzero(counts != 1)[0])
        raise ShapeError(
            f"{part} compares images by their class, so every image needs exactly one, but image {wrong} of the batch "
            f"has {int(counts[wrong])}. Use data with one label per image, or leave {part} out of the losses."
        )
    return labels.argmax(1)
