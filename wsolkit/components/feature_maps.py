"""CAM methods that make one map of an image's features alone: what they share."""

from __future__ import annotations

from abc import abstractmethod

import cv2
import numpy as np
import torch
from torch import Tensor

from wsolkit.errors import MapError, ShapeError
from wsolkit.interfaces import Activation, CamMethod, Model
from wsolkit.maps import MapNormalize, MapResize, extremes

__all__ = ["FeatureMaps", "component_of", "finite_features", "where_features_vary"]


class FeatureMaps(CamMethod):
    """Makes one map of ``Activation.features``, the same for every class; subclasses override ``maps_of``.

    With ``FeatureHead`` nothing of a model is trained, so that it needs no checkpoint.

    Args:
        center: subtract the mean of an image's cells first. For features that are never negative, behind a ReLU, of
            which any two are alike.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    takes_labels = "one"

    def __init__(self, center: bool = False, resize: MapResize = "bicubic", normalize: MapNormalize = "minmax") -> None:
        super().__init__(resize, normalize)
        self.center = center

    @abstractmethod
    def maps_of(self, features: Tensor) -> Tensor:
        """Return maps (B, h, w) of float32 features (B, C, h, w), of two cells at least."""

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T), the same for every class.

        Raises:
            HeadError: the head gives no features.
            ShapeError: they are of one cell.
            MapError: they hold NaN or infinity.
        """
        features = (activation or model.activate(images)).need("features", self)
        name, head = type(self).__name__, type(model.head).__name__
        if features.shape[-2] * features.shape[-1] < 2:
            raise ShapeError(
                f"{name} compares the cells of an image, but {head} gives features {tuple(features.shape)}, one cell. "
                "Take a level that is a map, such as 'blocks.11.keys' of a transformer."
            )
        with torch.autocast(features.device.type, enabled=False):
            features = finite_features(features, name)
            maps = self.maps_of(features - features.mean((2, 3), keepdim=True) if self.center else features)
            maps = where_features_vary(maps, features)
        return maps if classes.ndim == 1 else maps[:, None].expand(-1, classes.shape[1], -1, -1)


def finite_features(features: Tensor, part: str) -> Tensor:
    """Return features (B, C, h, w) in float32, all of them numbers.

    Args:
        features: what a model gave.
        part: the name of what reads them, for the words.

    Raises:
        MapError: they hold NaN or infinity.
    """
    features = features.float()
    if not bool(torch.isfinite(features).all()):
        raise MapError(
            f"{part} reads features that hold NaN or infinity: the model has diverged, or its numbers are too large "
            "for half precision. Take an earlier checkpoint, or precision='fp32'."
        )
    return features


def where_features_vary(maps: Tensor, features: Tensor) -> Tensor:
    """Return maps (B, h, w), of zeros where all cells of an image have the same features and nothing stands out.

    Without this a map would be made of rounding noise.

    Args:
        maps: made of the features.
        features: (B, C, h, w), float32.

    >>> where_features_vary(torch.ones(2, 1, 2), torch.tensor([[[[3.0, 3.0]]], [[[3.0, 4.0]]]])).tolist()
    [[[0.0, 0.0]], [[1.0, 1.0]]]
    """
    lowest, highest = extremes(features)  # (B, C, 1, 1)
    noise = 8 * torch.finfo(features.dtype).eps * torch.maximum(lowest.abs(), highest.abs())
    varies = (highest - lowest > noise).any(1)  # (B, 1, 1)
    return maps.where(varies, torch.zeros_like(maps))


def component_of(mask: Tensor, seed: int) -> Tensor:
    """Return the cells of a mask (h, w) that hang together with one of them by their sides.

    Args:
        mask: bool (h, w).
        seed: the number of the cell, row by row.

    >>> component_of(torch.tensor([[True, False, True], [True, False, False]]), 0).tolist()
    [[True, False, False], [True, False, False]]
    """
    _, labels = cv2.connectedComponents(mask.cpu().numpy().astype(np.uint8), connectivity=4)
    return torch.from_numpy(labels == labels.flat[seed]).to(mask.device) & mask
