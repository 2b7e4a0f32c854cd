"""CAM methods of the core: the head's own maps, and an average over sizes of the image and its mirror image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit.errors import ConfigError
from wsolkit.interfaces import Activation, CamMethod, Model
from wsolkit.maps import MapNormalize, MapResize, resize_maps
from wsolkit.registry import CAM_METHODS

__all__ = ["HeadMaps", "MultiScaleMaps"]

MapsOf = Callable[[Tensor, Activation | None], Tensor | None]
"""Makes raw maps of images, given what the model made of them where that is known."""


class HeadMaps(CamMethod):
    """Takes the maps of the asked classes from the head."""

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T)."""
        return (activation or model.activate(images)).of(classes)

    def all_maps(self, model: Model, images: Tensor, activation: Activation) -> Tensor:
        """Return the head's maps, (B, K, h, w) or (B, 1, h, w)."""
        return activation.maps


class MultiScaleMaps(CamMethod):
    """Averages the maps that another CAM method makes of the image in several sizes, mirrored and not.

    Sizes are rounded to whole cells of the deepest level. The maps are resized to the network input before they are
    averaged.

    Args:
        scales: factors of the image's sides; {.5, 1, 1.5, 2} is usual.
        flip: whether the mirror image counts as well.
        of: configuration of the CAM method; the head's maps by default.
        normalize: see ``CamMethod``; applied to the average.
        resize: see ``CamMethod``; applied to each map.

    Raises:
        ConfigError: there are no scales.
    """

    def __init__(
        self,
        scales: Sequence[Annotated[float, "above 0"]] = (0.5, 1.0, 1.5, 2.0),
        flip: bool = True,
        of: Any = None,
        normalize: MapNormalize = "minmax",
        resize: MapResize = "bilinear",
    ) -> None:
        super().__init__(resize="none", normalize=normalize)
        if isinstance(scales, (int, float)) or not scales:
            raise ConfigError(f"scales should be a list of positive factors such as [0.5, 1, 2], but got {scales}.")
        self.scales = tuple(float(scale) for scale in scales)
        self.flip = flip
        self.enlarge = resize
        self.of: CamMethod = CAM_METHODS.build(of or {"type": "HeadMaps"})

    def check(self, model: Model) -> None:
        """Refuse a model that the averaged method refuses."""
        self.of.check(model)

    def activate(self, model: Model, images: Tensor) -> Activation:
        """Return what the model makes of the images, as the averaged method wants it where it sees this size."""
        return self.of.activate(model, images) if 1.0 in self.scales else model.activate(images)

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, H, W) or (B, T, H, W) for ``classes`` (B,) or (B, T)."""
        total = self.average(
            model, images, activation, lambda scaled, known: self.of.raw_maps(model, scaled, classes, known)
        )
        assert total is not None
        return total

    def all_maps(self, model: Model, images: Tensor, activation: Activation) -> Tensor | None:
        """Return the averaged maps of every class, (B, K, H, W) or (B, 1, H, W), where the averaged method has them."""
        return self.average(
            model,
            images,
            activation,
            lambda scaled, known: self.of.all_maps(model, scaled, known or model.activate(scaled)),
        )

    def one_sided(self) -> CamMethod:
        """Return the average without mirror images."""
        alone = copy(self)
        alone.flip = False
        return alone

    def average(self, model: Model, images: Tensor, activation: Activation | None, maps_of: MapsOf) -> Tensor | None:
        """Return the mean over sizes and mirror images of what ``maps_of`` makes of them; None where it makes nothing.

        Args:
            model: the model.
            images: (B, 3, H, W), normalised.
            activation: what the model made of these images, where that is known.
            maps_of: makes raw maps of images, given what the model made of them where that is known.
        """
        size = (int(images.shape[-2]), int(images.shape[-1]))  # no tensors, where an export traces this
        cell = max(model.backbone.strides.values())
        total: Tensor | float = 0.0
        for scale in self.scales:
            scaled = resize_images(images, scale, cell)
            maps = maps_of(scaled, activation if scaled.shape == images.shape else None)
            if maps is None:
                return None
            total = total + resize_maps(maps, size, self.enlarge)
            if self.flip:
                mirrored = maps_of(scaled.flip(-1), None)
                assert mirrored is not None
                total = total + resize_maps(mirrored.flip(-1), size, self.enlarge)
        assert isinstance(total, Tensor)
        return total / (len(self.scales) * (2 if self.flip else 1))


def resize_images(images: Tensor, scale: float, cell: int = 1) -> Tensor:
    """Resize images (B, 3, H, W) by a factor, to whole cells; the same tensor where nothing changes.

    >>> resize_images(torch.zeros(1, 3, 224, 100), 0.5, cell=32).shape
    torch.Size([1, 3, 128, 64])
    """
    size = tuple(max(1, round(int(side) * scale / cell)) * cell for side in images.shape[-2:])
    if scale == 1 or size == tuple(images.shape[-2:]):
        return images
    resized = F.interpolate(images, size=size, mode="bilinear", align_corners=False, antialias=scale < 1)
    if images.is_contiguous(memory_format=torch.channels_last):
        return resized.contiguous(memory_format=torch.channels_last)
    return resized
