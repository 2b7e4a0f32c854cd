"""The attention-based dropout layer: a drop mask or an importance map, chosen by one draw."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from wsolkit import MapModifier
from wsolkit.components import hide

__all__ = ["ADL", "drop_mask", "importance_map"]


def drop_mask(attention: Tensor, threshold: float) -> Tensor:
    """Return which cells are kept: those below ``threshold`` times the maximum of their own map (ADL, section 3.1).

    Args:
        attention: (B, h, w).
        threshold: gamma.

    Returns:
        (B, h, w) bool.

    >>> drop_mask(torch.tensor([[[4.0, 3.6, 3.5]], [[1.0, 0.0, 0.0]]]), 0.9).tolist()
    [[[False, False, True]], [[False, True, True]]]
    """
    return attention < threshold * attention.amax((1, 2), keepdim=True)


def importance_map(attention: Tensor) -> Tensor:
    """Return the sigmoid of an attention map (B, h, w), in (0, 1) (ADL, section 3.1).

    >>> importance_map(torch.zeros(1, 1, 1)).tolist()
    [[[0.5]]]
    """
    return torch.sigmoid(attention)


class ADL(MapModifier):
    """Hides the peak of the features, or weights them by their attention, at random (ADL, Choe and Shim, CVPR 2019).

    The mean over channels is the attention map of an image. With probability ``drop_rate`` the features lose the cells
    that reach ``threshold`` times its maximum, else they are multiplied by its sigmoid. Gradients flow through the
    importance map and none through the mask. What is kept is not rescaled, and evaluation leaves features alone.

    Args:
        drop_rate: probability of the drop mask, in [0, 1]; .75 as the paper, the authors' code (there as
            keep_prob = .25) and wsolevaluation.
        threshold: gamma, in [0, 1]; .9 as the paper, the authors' run script and wsolevaluation. The option parser of
            the authors' code has .5.
        per: one draw for the whole ``batch``, as both codes, or one for each ``image``.

    Raises:
        ConfigError: an argument is out of range.

    >>> maps = torch.tensor([[[[2.0, 1.0]], [[0.0, 1.0]]]])
    >>> ADL(drop_rate=1.0)(maps).tolist()
    [[[[0.0, 0.0]], [[0.0, 0.0]]]]
    >>> ADL(drop_rate=1.0)(torch.tensor([[[[2.0, 1.0]]]])).tolist()
    [[[[0.0, 1.0]]]]
    """

    def __init__(
        self,
        drop_rate: Annotated[float, "in [0, 1]"] = 0.75,
        threshold: Annotated[float, "in [0, 1]"] = 0.9,
        per: Literal["batch", "image"] = "batch",
    ) -> None:
        super().__init__()
        self.drop_rate = drop_rate
        self.threshold = threshold
        self.per = per

    def modify(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, h, w) without their peaks, or weighted by their attention."""
        attention = maps.mean(1, dtype=torch.float32)  # (B, h, w)
        kept = drop_mask(attention, self.threshold)
        draws = torch.rand(len(maps) if self.per == "image" else 1, device=maps.device)
        drop = (draws < self.drop_rate)[:, None, None].expand(len(maps), 1, 1)
        self.note(dropped=drop.float().mean(), peak=1 - kept.float().mean())
        weights = importance_map(attention).to(maps.dtype)[:, None]
        return torch.where(drop[:, None], hide(maps, kept), maps * weights)
