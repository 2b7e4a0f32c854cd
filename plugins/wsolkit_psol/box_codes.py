"""How a box is written as four numbers, and how far two such boxes are apart.

A relative box is (x, y, w, h): its top-left corner and its size in fractions of the image's width and height.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import ShapeError, one_of

__all__ = ["LOSS_WEIGHTS", "BoxLoss", "box_loss", "generalized_iou", "to_corners", "to_relative"]

BoxLoss = Literal["mse", "smooth_l1", "giou"]
LOSS_WEIGHTS: dict[BoxLoss, float] = {"mse": 50.0, "smooth_l1": 10.0, "giou": 1.0}
"""The losses of the regressor and what each is multiplied by where nothing is said; 50 is the paper's."""

BETA = 0.1
"""Where the smooth L1 loss turns from a square into a line, in fractions of the image."""


def to_relative(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes (N, 4), x0 y0 x1 y1 in pixels of an image of ``size`` = (width, height), as relative boxes (N, 4).

    >>> to_relative(torch.tensor([[20.0, 10, 60, 40]]), (80, 40)).tolist()
    [[0.25, 0.25, 0.5, 0.75]]
    """
    scale = boxes.new_tensor(size)
    corner, end = boxes[:, :2] / scale, boxes[:, 2:] / scale
    return torch.cat([corner, end - corner], 1)


def to_corners(relative: Tensor) -> Tensor:
    """Return relative boxes (N, 4) as x0 y0 x1 y1 (N, 4) in fractions of the image, clipped to it.

    >>> to_corners(torch.tensor([[0.25, 0.5, 0.5, 0.75]])).tolist()
    [[0.25, 0.5, 0.75, 1.0]]
    """
    corner = relative[:, :2]
    return torch.cat([corner, corner + relative[:, 2:]], 1).clamp(0, 1)


def generalized_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Return the generalized IoU (N,) of relative boxes (N, 4) with others (N, 4), in (-1, 1].

    IoU minus the part of the smallest box around both that neither covers (Rezatofighi et al., CVPR 2019).

    >>> a, b = torch.tensor([[0.0, 0, 0.5, 1]]), torch.tensor([[0.5, 0.0, 0.5, 1]])
    >>> generalized_iou(a, a).item(), generalized_iou(a, b).item()
    (1.0, 0.0)
    """
    ends, other_ends = boxes[:, :2] + boxes[:, 2:], others[:, :2] + others[:, 2:]
    shared = (torch.minimum(ends, other_ends) - torch.maximum(boxes[:, :2], others[:, :2])).clamp(min=0).prod(1)
    hull = (torch.maximum(ends, other_ends) - torch.minimum(boxes[:, :2], others[:, :2])).prod(1)
    union = boxes[:, 2:].prod(1) + others[:, 2:].prod(1) - shared
    tiny = torch.finfo(boxes.dtype).tiny
    return shared / union.clamp(min=tiny) - (hull - union) / hull.clamp(min=tiny)


def box_loss(found: Tensor, wanted: Tensor, kind: BoxLoss = "mse") -> Tensor:
    """Return how far relative boxes (N, 4) are from the wanted ones (N, 4), averaged; not weighted.

    Args:
        found: relative boxes.
        wanted: relative boxes.
        kind: ``mse``, ``smooth_l1`` or ``giou`` (1 - generalized IoU).

    Raises:
        ConfigError: there is no such loss.
        ShapeError: the boxes are not (N, 4) both.

    >>> a, b = torch.tensor([[0.0, 0, 0.5, 1]]), torch.tensor([[0.5, 0.0, 0.5, 1]])
    >>> box_loss(a, b).item(), round(box_loss(a, b, "smooth_l1").item(), 4), box_loss(a, b, "giou").item()
    (0.0625, 0.1125, 1.0)
    """
    if found.shape != wanted.shape or found.shape[1:] != (4,):
        raise ShapeError(
            f"Boxes should be (N, 4), x y w h, both, but got {tuple(found.shape)} and {tuple(wanted.shape)}."
        )
    one_of("The loss of a BoxRegressor", kind, LOSS_WEIGHTS)
    if kind == "mse":
        return F.mse_loss(found, wanted)
    if kind == "smooth_l1":
        return F.smooth_l1_loss(found, wanted, beta=BETA)
    return (1 - generalized_iou(found, wanted)).mean()
