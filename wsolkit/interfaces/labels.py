"""What kind of labels the parts of a model take."""

from __future__ import annotations

from typing import Final, Literal

from torch import Tensor

from wsolkit.errors import ShapeError

__all__ = ["ANY", "ONE", "LabelKind", "check_one_class"]

LabelKind = Literal["any", "one"]
ANY: Final = "any"
ONE: Final = "one"


def check_one_class(part: str, labels: Tensor | None) -> None:
    """Refuse labels of images that have several classes or none; soft labels are of one class.

    Args:
        part: what takes one class, for the words.
        labels: (B,), or (B, K) whose rows should add up to 1, or None.

    Raises:
        ShapeError: a row does not.

    >>> import torch
    >>> check_one_class("CrossEntropy", torch.tensor([[0.0, 1.0], [1.0, 1.0]]))
    Traceback (most recent call last):
    wsolkit.errors.ShapeError: CrossEntropy takes images of one class, but the labels of image 1 of the batch add up...
    """
    if labels is None or labels.ndim != 2 or not labels.numel():
        return
    sums = labels.detach().float().sum(1)
    wrong = (sums - 1).abs() > 1e-2  # soft labels may come in bf16
    if bool(wrong.any()):
        place = int(wrong.nonzero()[0])
        raise ShapeError(
            f"{part} takes images of one class, but the labels of image {place} of the batch add up to "
            f"{float(sums[place]):g}. For images with several classes or none use losses that take them, such as "
            "BinaryCrossEntropy in the place of CrossEntropy.",
            about=part,
        )
