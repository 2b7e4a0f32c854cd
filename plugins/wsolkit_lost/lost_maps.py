"""LOST as a CAM method: one map of an object, made of features alone."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from wsolkit import MapNormalize, MapResize
from wsolkit.components import FeatureMaps
from wsolkit_lost.seed_growing import lost

__all__ = ["LOSTMaps"]


class LOSTMaps(FeatureMaps):
    """Shows what grows from the cell that is like fewest others (LOST, BMVC 2021).

    It reads ``Activation.features``: the keys of a transformer's last block, or any other map of features that may be
    negative. Nothing is trained, and the map is the same for every class.

    Args:
        k: how many cells of the least degrees may join the seed.
        center: see ``FeatureMaps``.
        soft: show how strongly a cell correlates; 1 by default, as in the paper.
        component: show only what hangs together with the seed, as in the paper.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(
        self,
        k: Annotated[int, "at least 1"] = 100,
        center: bool = False,
        soft: bool = False,
        component: bool = True,
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(center, resize, normalize)
        self.k = k
        self.soft = soft
        self.component = component

    def maps_of(self, features: Tensor) -> Tensor:
        """Return the object (B, h, w) in features (B, C, h, w)."""
        return lost(features, self.k, self.soft, self.component)
