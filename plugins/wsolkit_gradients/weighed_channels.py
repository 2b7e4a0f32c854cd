"""Grad-CAM and the methods that differ from it in how a channel is weighed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from torch import Tensor

from wsolkit import GradientMaps, MapNormalize, MapResize
from wsolkit_gradients.formulas import grad_cam, grad_cam_plus_plus, x_grad_cam

__all__ = ["GradCAM", "GradCAMPlusPlus", "XGradCAM"]


class GradCAM(GradientMaps):
    """Weighs channels by the mean of the class score's gradient (Selvaraju et al., ICCV 2017).

    At the last level under average pooling and a linear classifier it is CAM without the bias, negative scores cut off.

    Args:
        at: see ``GradientMaps``.
        fuse: see ``GradientMaps``.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def layer_maps(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return the maps (..., h, w) of one place."""
        return grad_cam(activations, gradients)


class GradCAMPlusPlus(GradientMaps):
    """Weighs channels by positive gradients, each cell by its share in the score (Chattopadhay et al., WACV 2018).

    Args:
        at: see ``GradientMaps``.
        fuse: see ``GradientMaps``.
        epsilon: added below the line of alpha; 0 in the paper, 1e-6 in pytorch-grad-cam.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(
        self,
        at: str | Sequence[str] | None = None,
        fuse: Literal["mean", "max"] = "mean",
        epsilon: Annotated[float, "at least 0"] = 0.0,
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(at, fuse, resize, normalize)
        self.epsilon = epsilon

    def layer_maps(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return the maps (..., h, w) of one place."""
        return grad_cam_plus_plus(activations, gradients, self.epsilon)


class XGradCAM(GradientMaps):
    """Weighs channels by the gradient where they are active (Fu et al., BMVC 2020).

    Args:
        at: see ``GradientMaps``.
        fuse: see ``GradientMaps``.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def layer_maps(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return the maps (..., h, w) of one place."""
        return x_grad_cam(activations, gradients)
