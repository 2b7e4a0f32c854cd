"""Smooth Grad-CAM++: the gradients of Grad-CAM++ averaged over noisy copies of the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor

from wsolkit import (
    Activation,
    ConfigError,
    GradientMaps,
    KnownLevels,
    MapNormalize,
    MapResize,
    Model,
    check_classes,
    watch,
)
from wsolkit_gradients.formulas import grad_cam_plus_plus, smooth_grad_cam_plus_plus

__all__ = ["SmoothGradCAMPlusPlus"]


class SmoothGradCAMPlusPlus(GradientMaps):
    """Averages the gradients of Grad-CAM++ over noisy copies of the image (Omeiza et al. 2019).

    The noise is drawn anew from ``seed`` for each batch and is the same for each image, so that an image's map does not
    depend on those beside it. Where the gradient is known in closed form noise does not change it, and the map is that
    of Grad-CAM++.

    Args:
        at: see ``GradientMaps``.
        fuse: see ``GradientMaps``.
        samples: how many noisy copies.
        std: the standard deviation of the noise, in units of the normalised image.
        seed: of the noise.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(
        self,
        at: str | Sequence[str] | None = None,
        fuse: Literal["mean", "max"] = "mean",
        samples: Annotated[int, "at least 1"] = 4,
        std: Annotated[float, "at least 0"] = 0.3,
        seed: int = 0,
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(at, fuse, resize, normalize)
        self.samples, self.std, self.seed = samples, std, seed

    def layer_maps(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return the maps (..., h, w) of one place where noise does not change the gradients."""
        return grad_cam_plus_plus(activations, gradients)

    def activate(self, model: Model, images: Tensor) -> Activation:
        """Return what the model makes of the images; nothing of it is recorded, for gradients come from noisy ones."""
        return model.activate(images)

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: as ``GradientMaps``, or the images are known by cached features alone.
            ShapeError: as ``GradientMaps``.
        """
        if self.flat_weights(model) is not None:
            return super().raw_maps(model, images, classes, activation)
        if isinstance(images, KnownLevels):
            raise ConfigError(
                "SmoothGradCAMPlusPlus adds noise to the images, which are known by their cached features alone. Leave "
                "feature_cache out, or take GradCAMPlusPlus."
            )
        name, places = type(self).__name__, self.places(model)
        asked = classes if classes.ndim == 2 else classes[:, None]  # (B, T)
        unspoilt, tape = watch(model, images, places, name, gradients=False)
        if unspoilt.logits is not None:  # a head without logits is refused below
            check_classes(asked, unspoilt.logits.shape[1])
        clean = tape.activations()
        powers = [[[torch.zeros_like(each) for each in clean] for _ in range(3)] for _ in range(asked.shape[1])]
        for noise in self.noise(images):
            seen, tape = watch(model, images + noise, places, name)
            assert seen.logits is not None
            for sums, wanted in zip(powers, self.wanted(seen.logits, asked).unbind(1), strict=True):
                for place, gradient in enumerate(tape.gradients(wanted)):
                    for power, total in enumerate(sums, start=1):
                        total[place] += gradient.pow(power) / self.samples
        found = []
        for sums in powers:
            each = [smooth_grad_cam_plus_plus(*place) for place in zip(clean, *sums, strict=True)]
            found.append(self.fused(each))
        maps = torch.stack(found, 1)
        return maps if classes.ndim == 2 else maps[:, 0]

    def noise(self, images: Tensor) -> list[Tensor]:
        """Return what is added to images (B, 3, H, W) in each sample, (1, 3, H, W)."""
        generator = torch.Generator().manual_seed(self.seed)
        shape = (1, *images.shape[1:])
        return [
            (torch.randn(shape, generator=generator) * self.std).to(images.device, images.dtype)
            for _ in range(self.samples)
        ]
