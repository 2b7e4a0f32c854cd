"""A CAM method that looks at the image once more: the maps of another one, drawn to the edges by a dense CRF."""

from __future__ import annotations

from copy import copy
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from wsolkit.components.refiners.dense_crf_refiner import object_chance
from wsolkit.crf import BilateralKernel
from wsolkit.errors import ConfigError
from wsolkit.interfaces import Activation, CamMethod, KnownLevels, Model
from wsolkit.maps import MapNormalize, resize_maps
from wsolkit.registry import CAM_METHODS

__all__ = ["CRFMaps"]


class CRFMaps(CamMethod):
    """Mixes the maps of another CAM method with what a dense CRF makes of them in the image.

    The CRF (Kraehenbuehl and Koltun, NIPS 2011) draws a blurred map to the edges of the object but is all but certain
    everywhere, so that no threshold changes its boxes; the mean of both keeps the order that the map had on either side
    of the edge. It costs 40 ms of one core for each map of 224 x 224 pixels, as much as a small network, and looks at
    pixels, which cached features do not have. The settings were chosen on 125 validation photographs of birds.

    Args:
        of: configuration of the CAM method; the head's maps by default.
        share: how much the CRF counts in the mean.
        even_at: the share of the map's maximum where object and background are as likely.
        slope: how steeply the chance of the object rises there.
        reach: standard deviation of the kernel that follows edges, as a share of the longer side.
        colour: its standard deviation in steps of colour (0 to 255).
        weight: the weight of its votes.
        iterations: mean field steps.
        normalize: see ``CamMethod``; applied to the mean.
    """

    def __init__(
        self,
        of: Any = None,
        share: Annotated[float, "in [0, 1]"] = 0.8,
        even_at: Annotated[float, "in (0, 1)"] = 0.6,
        slope: Annotated[float, "above 0"] = 8.0,
        reach: Annotated[float, "above 0"] = 0.2,
        colour: Annotated[float, "above 0"] = 13.0,
        weight: Annotated[float, "above 0"] = 5.0,
        iterations: Annotated[int, "at least 1"] = 5,
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(resize="none", normalize=normalize)
        self.of: CamMethod = CAM_METHODS.build(of or {"type": "HeadMaps"})
        self.share = share
        self.even_at = even_at
        self.slope = slope
        self.reach = reach
        self.colour = colour
        self.weight = weight
        self.iterations = iterations

    def check(self, model: Model) -> None:
        """Refuse a model that the other method refuses."""
        self.of.check(model)

    def activate(self, model: Model, images: Tensor) -> Activation:
        """Return what the model makes of the images, as the other method wants it."""
        return self.of.activate(model, images)

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, H, W) or (B, T, H, W) for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: the images are known by their features alone, or were made otherwise than by an
                ``ImagePreprocessor``.
        """
        restore = getattr(model.data_preprocessor, "to_pixels", None)
        if isinstance(images, KnownLevels) or restore is None:
            raise ConfigError(
                "CRFMaps looks at the pixels of the images, which are not known here. Leave feature_cache out, use an "
                "ImagePreprocessor, or take another cam_method."
            )
        found = resize_maps(self.of(model, images, classes, activation), (images.shape[-2], images.shape[-1]))
        pixels = restore(images).permute(0, 2, 3, 1).cpu().numpy()
        maps = found.detach().cpu().numpy().reshape(len(images), -1, *found.shape[-2:])  # (B, T, H, W)
        edges = BilateralKernel(self.reach * max(found.shape[-2:]), self.colour, self.weight)
        drawn = [
            [object_chance(image, each, self.even_at, self.slope, edges, self.iterations) for each in of_image]
            for image, of_image in zip(pixels, maps, strict=True)
        ]
        chance = torch.from_numpy(np.array(drawn, np.float32)).to(found.device).view_as(found)
        return (1 - self.share) * found + self.share * chance

    def one_sided(self) -> CamMethod:
        """Return the same for the maps that the other method makes of the image alone."""
        alone = copy(self)
        alone.of = self.of.one_sided()
        return alone
