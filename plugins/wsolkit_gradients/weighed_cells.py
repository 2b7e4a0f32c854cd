"""LayerCAM: gradients weigh cells instead of channels, so that shallow layers give maps as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from torch import Tensor

from wsolkit import GradientMaps, MapNormalize, MapResize, fuse_maps, normalize_maps
from wsolkit_gradients.formulas import layer_cam

__all__ = ["LayerCAM", "scaled_by_tanh"]


def scaled_by_tanh(maps: Tensor, gamma: float = 2.0) -> Tensor:
    """Return tanh(gamma M / max M) of maps (..., h, w), which lifts what is weak (Jiang et al. 2021, equation 9).

    >>> import torch
    >>> scaled_by_tanh(torch.tensor([[0.0, 1.0, 2.0]])).round(decimals=3).tolist()
    [[0.0, 0.7620000243186951, 0.9639999866485596]]
    """
    return (gamma * normalize_maps(maps, "max")).tanh()


class LayerCAM(GradientMaps):
    """Weighs each cell of each channel by its own positive gradient (Jiang et al., TIP 2021).

    Several places are fused as the paper does it: the maps of all but the last one named are scaled by
    tanh(gamma M / max M), then the maximum is taken.

    Args:
        at: see ``GradientMaps``; name places from shallow to deep.
        fuse: ``max`` as the paper, or ``mean``.
        gamma: of the scaling; None for none.
        scaled: which maps of several places are scaled: ``shallow``, all but the last, or ``all``.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(
        self,
        at: str | Sequence[str] | None = None,
        fuse: Literal["mean", "max"] = "max",
        gamma: Annotated[float, "above 0"] | None = 2.0,
        scaled: Literal["shallow", "all"] = "shallow",
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(at, fuse, resize, normalize)
        self.gamma, self.scaled = gamma, scaled

    def layer_maps(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return the maps (..., h, w) of one place."""
        return layer_cam(activations, gradients)

    def fused(self, maps: Sequence[Tensor]) -> Tensor:
        """Return one map of those of the places."""
        if len(maps) == 1 or self.gamma is None:
            return fuse_maps(maps, self.fuse)
        last = len(maps) if self.scaled == "all" else len(maps) - 1
        lifted = [scaled_by_tanh(each, self.gamma) for each in maps[:last]]
        return fuse_maps([*lifted, *(normalize_maps(each, "max") for each in maps[last:])], self.fuse, "none")
