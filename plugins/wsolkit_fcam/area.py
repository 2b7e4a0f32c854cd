"""The size constraint: neither background nor foreground may vanish."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from wsolkit import Activation, Batch, Loss
from wsolkit_fcam.decoder import PIXEL_LOGITS

__all__ = ["BothPresent", "log_barrier"]


def log_barrier(value: Tensor, sharpness: float) -> Tensor:
    """Return the extended log barrier of constraints value <= 0 (Kervadec et al. 2019, which F-CAM takes).

    -log(-z) / t for z <= -1 / t^2, and its tangent from there on: finite everywhere.

    >>> log_barrier(torch.tensor([-0.5, 1.0]), 1.0).tolist()
    [0.5, 2.0]
    """
    edge = 1 / sharpness**2
    inside = -torch.log(-value.clamp_max(-edge)) / sharpness
    outside = sharpness * value - math.log(edge) / sharpness + 1 / sharpness
    return torch.where(value <= -edge, inside, outside)


class BothPresent(Loss):
    """Keeps the areas of background and foreground above 0 by a log barrier (absolute size constraint, F-CAM).

    Args:
        first: sharpness t of the barrier at the beginning of the training; at 1 the two areas, whose sum is 1, would
            cost the same whatever they are.
        last: sharpness at its end; between them it grows by the same factor at each step.
    """

    def __init__(self, first: Annotated[float, "above 0"] = 3.0, last: Annotated[float, "above 0"] = 10.0) -> None:
        super().__init__()
        self.first = first
        self.last = last

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the sum over the two kinds, a mean over the batch.

        Raises:
            ConfigError: the head makes no logits of pixels.
        """
        areas = activation.need(PIXEL_LOGITS, self).softmax(1).mean((2, 3))  # (B, 2)
        sharpness = self.first * (self.last / self.first) ** batch.progress
        return log_barrier(-areas, sharpness).sum(1).mean()
