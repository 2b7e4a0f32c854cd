"""The losses that hand what one map is sure of to the next mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import Activation, Batch, ConfigError, Loss, ShapeError
from wsolkit.components import map_of_present

__all__ = ["SelfProducedGuidance", "guided_loss", "sure_pixels"]

MASKS = ("mask_b2", "mask_b1", "mask_c")
"""In the order in which they learn: from the class map, from the mask before, from the mean of both."""

THRESHOLDS = ((0.7, 0.05), (0.5, 0.05), (0.7, 0.1))


@torch.no_grad()
def sure_pixels(
    scores: Tensor, high: float, low: float, fewest: int = 30, instead: float = 0.7
) -> tuple[Tensor, Tensor]:
    """Return which pixels are object, and which pixels are known to be object or background (SPG, eq. 1).

    Scores above ``high`` are object, scores below ``low`` are background, the rest is not known. Where an image has
    fewer than ``fewest`` pixels above ``high``, those above ``instead`` times its own maximum are its object. A pixel
    that is both is background.

    Args:
        scores: (B, 1, H, W) in [0, 1].
        high: from where on a pixel is object.
        low: up to where it is background.
        fewest: pixels of an image.
        instead: a share of the image's maximum.

    Returns:
        Two (B, 1, H, W) of bool.

    >>> found, known = sure_pixels(torch.tensor([[[[0.9, 0.5, 0.01]]], [[[0.4, 0.3, 0.2]]]]), 0.7, 0.05, fewest=1)
    >>> found.flatten(1).int().tolist(), known.flatten(1).int().tolist()
    ([[1, 0, 0], [1, 1, 0]], [[1, 0, 1], [1, 1, 0]])
    """
    found = scores > high
    few = found.sum((1, 2, 3), keepdim=True) < fewest
    found = torch.where(few, scores > instead * scores.amax((1, 2, 3), keepdim=True), found)
    background = scores < low
    found = found & ~background
    return found, found | background


def guided_loss(mask: Tensor, found: Tensor, known: Tensor) -> Tensor:
    """Return the binary cross entropy of a mask (B, 1, H, W) before its sigmoid, a mean over the known pixels.

    >>> mask, sure = torch.zeros(1, 1, 1, 2), torch.tensor([[[[True, False]]]])
    >>> round(float(guided_loss(mask, sure, sure)), 4)
    0.6931
    """
    each = F.binary_cross_entropy_with_logits(mask, found.to(mask.dtype), reduction="none")
    return (each * known).sum() / known.sum().clamp_min(1)


class SelfProducedGuidance(Loss):
    """Lets the class map teach the mask of B2, that one B1's, and the mean of both that of C (SPG, section 3.3).

    Each hands on the pixels it is sure of (see ``sure_pixels``), without gradients. Everything is resized to the images
    first. The class map is that of the labels, brought to [0, 1]; of several classes the largest.

    Args:
        thresholds: high and low, in this order for the class map, for B2's mask and for the mean of B1's and B2's.
        fewest: see ``sure_pixels``; pixels of the images.
        instead: see ``sure_pixels``.

    Raises:
        ConfigError: there are not three pairs, or a low threshold is above the high one.
    """

    indexes_labels = True

    def __init__(
        self,
        thresholds: Sequence[Sequence[float]] = THRESHOLDS,
        fewest: Annotated[int, "at least 0"] = 30,
        instead: Annotated[float, "in [0, 1]"] = 0.7,
    ) -> None:
        super().__init__()
        right = len(thresholds) == 3 and all(len(pair) == 2 and 0 <= pair[1] < pair[0] <= 1 for pair in thresholds)
        if not right:
            raise ConfigError(
                "thresholds of SelfProducedGuidance should be three pairs of a high and a low share, such as "
                f"{[list(pair) for pair in THRESHOLDS]}, but got {thresholds!r}."
            )
        self.thresholds = [(float(high), float(low)) for high, low in thresholds]
        self.fewest = fewest
        self.instead = instead

    def forward(self, activation: Activation, batch: Batch) -> dict[str, Tensor]:
        """Return ``b2``, ``b1`` and ``c``, each a mean over the pixels that are known.

        Raises:
            HeadError: the head gives no masks.
            ShapeError: the batch has no labels.
        """
        masks = [activation.need(name, self) for name in MASKS]
        if batch.labels is None:
            raise ShapeError(
                "SelfProducedGuidance needs labels, but the batch has none. Give the data set class labels."
            )
        size = (int(batch.images.shape[-2]), int(batch.images.shape[-1]))
        b2, b1, c = (enlarged(mask, size) for mask in masks)
        attention = map_of_present(activation.maps, batch.labels, size=size)
        seen_b2, seen_b1 = (mask.detach().sigmoid() for mask in (b2, b1))
        steps = zip(("b2", "b1", "c"), (b2, b1, c), (attention, seen_b2, (seen_b1 + seen_b2) / 2), strict=True)
        return {
            name: guided_loss(mask, *sure_pixels(teacher, high, low, self.fewest, self.instead))
            for (name, mask, teacher), (high, low) in zip(steps, self.thresholds, strict=True)
        }


def enlarged(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return maps (B, C, h, w) at a size (H, W), bilinearly."""
    return F.interpolate(maps.float(), size=size, mode="bilinear", align_corners=False)
