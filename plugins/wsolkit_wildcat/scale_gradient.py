"""A gradient made larger on its way back."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

import torch
from torch import Tensor

from wsolkit import MapModifier

__all__ = ["ScaleGradient"]


class _Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return maps.view_as(maps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.factor * gradients[0], None


class ScaleGradient(MapModifier):
    """Leaves maps as they are and multiplies their gradient by a factor.

    The authors' code of WILDCAT divides by the number M of maps per class forwards but not backwards, so its 1x1
    convolution and its backbone learn from gradients M times as large. ``dict(type="ScaleGradient", at="maps")`` does
    the same.

    Args:
        factor: of the gradient; M by default.
        maps_per_class: M; filled in on the maps of a head.

    Raises:
        ConfigError: the factor is no positive number.

    >>> maps = torch.ones(1, 2, 2, 2, requires_grad=True)
    >>> ScaleGradient(factor=8.0)(maps).sum().backward()
    >>> maps.grad.unique().tolist()
    [8.0]
    """

    def __init__(self, factor: Annotated[float, "in (0, inf)"] | None = None, maps_per_class: int = 1) -> None:
        super().__init__()
        self.factor = float(maps_per_class if factor is None else factor)
        self._looked = False
        if self.factor == 1:
            warnings.warn(
                "ScaleGradient multiplies gradients by 1, which changes nothing: the head has one map per class and no "
                "factor is given. Set factor, or leave ScaleGradient out.",
                stacklevel=2,
            )

    def modify(self, maps: Tensor) -> Tensor:
        """Return the same maps (B, C, h, w)."""
        if not self._looked and torch.is_grad_enabled():
            self._looked = True
            if not maps.requires_grad:
                warnings.warn(
                    "ScaleGradient sits where no gradient comes back, on the image or behind modules that are not "
                    "trained, and changes nothing. Put it at='maps', or leave it out.",
                    stacklevel=2,
                )
        scaled: Tensor = _Scale.apply(maps, self.factor)
        return scaled
