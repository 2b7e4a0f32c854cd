"""The loss of the few-shot baseline: every pixel is foreground inside a box and background outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import Activation, Batch, DataError, Loss
from wsolkit_fsl.localizer import BoxedBatch

__all__ = ["BoxPixelLoss", "box_masks"]


def box_masks(boxes: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """Return masks (B, 1, H, W) that are 1 where the middle of a pixel lies inside a box of its image, else 0.

    Args:
        boxes: B of (N, 4), x0 y0 x1 y1 in pixels.
        size: (H, W) of the images.

    >>> box_masks([torch.tensor([[1.0, 0.0, 2.4, 1.0]])], (2, 3)).tolist()
    [[[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]]
    """
    height, width = size
    masks = []
    for each in boxes:
        y = torch.arange(height, device=each.device) + 0.5
        x = torch.arange(width, device=each.device) + 0.5
        rows = (y >= each[:, 1:2]) & (y < each[:, 3:4])  # (N, H)
        columns = (x >= each[:, 0:1]) & (x < each[:, 2:3])  # (N, W)
        masks.append((rows[:, :, None] & columns[:, None]).any(0))
    return torch.stack(masks)[:, None].float()


class BoxPixelLoss(Loss):
    """Binary cross entropy of every pixel with the mask of the boxes (Choe et al., CVPR 2020).

    It works in a ``FewShotLocalizer`` on the data of ``BoxedShots``, with a head that makes
    ``extras["foreground"]``, such as ``ForegroundHead``.

    Args:
        at: ``pixels`` resizes the map to the input (bilinear) and judges every pixel; ``cells`` judges every cell by
            the part of it that lies in a box.

    Raises:
        ConfigError: ``at`` is something else.
    """

    def __init__(self, at: Literal["pixels", "cells"] = "pixels") -> None:
        super().__init__()
        self.at = at

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the mean over pixels or cells of all images.

        Raises:
            DataError: the batch has no boxes.
            HeadError: the head makes no foreground.
        """
        if not isinstance(batch, BoxedBatch):
            raise DataError(
                "BoxPixelLoss trains on boxes, but the batch has none. Take model.type='FewShotLocalizer', data of "
                "BoxedShots with part='train', and no feature_cache."
            )
        logits = activation.need("foreground", self)  # (B, 1, h, w)
        height, width = batch.images.shape[-2:]
        masks = box_masks([each.to(logits.device) for each in batch.boxes], (height, width))
        if self.at == "pixels":
            logits = F.interpolate(logits, (height, width), mode="bilinear", align_corners=False)
        else:
            masks = F.adaptive_avg_pool2d(masks, (logits.shape[-2], logits.shape[-1]))
        return F.binary_cross_entropy_with_logits(logits, masks)
