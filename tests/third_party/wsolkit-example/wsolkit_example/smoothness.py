"""A loss that asks for smooth maps."""

from __future__ import annotations

from torch import Tensor

from wsolkit import Activation, Batch, Loss

__all__ = ["TotalVariation", "total_variation"]


def total_variation(maps: Tensor) -> Tensor:
    """Return the mean absolute difference between neighbouring cells of maps (B, K, h, w).

    >>> import torch
    >>> total_variation(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])).item()
    0.5
    """
    down = (maps[..., 1:, :] - maps[..., :-1, :]).abs()
    right = (maps[..., :, 1:] - maps[..., :, :-1]).abs()
    return (down.sum() + right.sum()) / max(down.numel() + right.numel(), 1)


class TotalVariation(Loss):
    """Scores how much the maps of a batch change from cell to cell."""

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the mean absolute difference between neighbouring cells."""
        return total_variation(activation.maps)
