"""The batch transform of CutMix: one box a batch, pasted from a shuffled copy of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor

from wsolkit import Batch, BatchTransform, ShapeError
from wsolkit.components import label_rows

__all__ = ["CutMix", "cut_box", "mix_labels", "paste"]

Box = tuple[int, int, int, int]


def cut_box(share: float, size: tuple[int, int], centre: tuple[int, int]) -> Box:
    """Return the box (y0, x0, y1, x1), half open, that covers 1 - ``share`` of an image where it is not cut off.

    Its sides are those of the image times sqrt(1 - share), eq. 2 of the paper, rounded down to even numbers.

    Args:
        share: lambda, the part of the image that is to stay, in [0, 1].
        size: (H, W) of the image.
        centre: (y, x) of the box in pixels.

    >>> cut_box(0.75, (8, 16), (1, 10))
    (0, 6, 3, 14)
    """
    half = [int(side * (1 - share) ** 0.5) // 2 for side in size]
    first = [max(place - reach, 0) for place, reach in zip(centre, half, strict=True)]
    last = [min(place + reach, side) for place, reach, side in zip(centre, half, size, strict=True)]
    return first[0], first[1], last[0], last[1]


def paste(maps: Tensor, order: Tensor, box: Box) -> Tensor:
    """Return maps (B, C, H, W) with a box of each replaced by that of the image ``order`` (B,) names.

    >>> paste(torch.tensor([1.0, 2.0]).view(2, 1, 1, 1).expand(2, 1, 1, 3), torch.tensor([1, 0]), (0, 1, 1, 3)).tolist()
    [[[[1.0, 2.0, 2.0]]], [[[2.0, 1.0, 1.0]]]]
    """
    y0, x0, y1, x1 = box
    mixed = maps.clone()
    mixed[:, :, y0:y1, x0:x1] = maps[order, :, y0:y1, x0:x1]
    return mixed


def mix_labels(labels: Tensor, order: Tensor, share: float, num_classes: int) -> Tensor:
    """Return labels (B, K): ``share`` of each image's own and the rest of those of the image pasted into it.

    Args:
        labels: (B,) indices, or (B, K) multi-hot or soft.
        order: (B,) which image was pasted into each.
        share: the part of the image that stayed.
        num_classes: K.

    Raises:
        ShapeError: the labels are not of K classes.

    >>> mix_labels(torch.tensor([0, 2]), torch.tensor([1, 0]), 0.75, 3).tolist()
    [[0.75, 0.0, 0.25], [0.25, 0.0, 0.75]]
    """
    fits = int(labels.max()) < num_classes if labels.ndim == 1 and len(labels) else labels.shape[-1] == num_classes
    if len(labels) and not fits:
        raise ShapeError(
            f"CutMix mixes labels of {num_classes} classes, but got {tuple(labels.shape)} up to {int(labels.max())}. "
            "Leave its num_classes out, to follow the data.",
            about="CutMix",
        )
    rows = label_rows(labels, num_classes)
    return share * rows + (1 - share) * rows[order]


class CutMix(BatchTransform):
    """Pastes a box of another image of the batch into each image, and mixes their labels by area (Yun et al. 2019).

    One lambda ~ Beta(beta, beta), one box and one order of the images are drawn for each batch. Where the box reaches
    over the border, lambda becomes the part of the image that really stays. Extras of the batch that lie over the
    images, such as pseudo maps (B, C, H, W), are pasted likewise; others stay those of the first image.

    Args:
        num_classes: K; filled in from the data.
        prob: how many of the batches are mixed. 1 as on ImageNet and in wsolevaluation; .5 as on CIFAR.
        beta: parameter of the Beta distribution; 1 draws lambda uniformly.
    """

    mixes_labels = True

    def __init__(
        self, num_classes: int, prob: Annotated[float, "in [0, 1]"] = 1.0, beta: Annotated[float, "above 0"] = 1.0
    ) -> None:
        self.num_classes = num_classes
        self.prob = prob
        self.beta = beta

    def __call__(self, batch: Batch) -> Batch:
        """Return the mixed batch, with labels (B, K) also where it is not mixed.

        Raises:
            ShapeError: the batch has no labels, or of another number of classes.
        """
        if batch.labels is None:
            raise ShapeError("CutMix mixes labels, but the batch has none. Give the data set class labels.")
        height, width = batch.images.shape[-2:]
        mixes = float(torch.rand(())) < self.prob
        share = float(torch.distributions.Beta(self.beta, self.beta).sample()) if mixes else 1.0
        order = torch.randperm(len(batch.images)) if mixes else torch.arange(len(batch.images))
        centre = (int(torch.randint(height, ())), int(torch.randint(width, ())))
        box = cut_box(share, (height, width), centre)
        share = 1 - (box[2] - box[0]) * (box[3] - box[1]) / (height * width)
        order = order.to(batch.images.device)

        def over_images(extra: object) -> bool:
            return isinstance(extra, Tensor) and extra.ndim == 4 and extra.shape[-2:] == (height, width)

        return replace(
            batch,
            images=paste(batch.images, order, box),
            labels=mix_labels(batch.labels, order, share, self.num_classes),
            extras={key: paste(one, order, box) if over_images(one) else one for key, one in batch.extras.items()},
        )
