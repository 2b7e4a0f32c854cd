"""BP: how much each pixel moves a class score."""

from __future__ import annotations

from torch import Tensor

from wsolkit import GradientMaps, MapNormalize

__all__ = ["InputGradient"]


class InputGradient(GradientMaps):
    """Shows the gradient of a class score at the pixels: the largest of the three colours, without its sign.

    Simonyan et al. 2014, section 3. The gradient is that of the normalised image.

    Args:
        normalize: see ``CamMethod``.
    """

    def __init__(self, normalize: MapNormalize = "minmax") -> None:
        super().__init__("image", resize="none", normalize=normalize)

    def layer_maps(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return the maps (B, H, W)."""
        return gradients.abs().amax(-3)
