"""TokenCut as a CAM method: one map of whatever stands out, made of features alone."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from wsolkit import MapNormalize, MapResize
from wsolkit.components import FeatureMaps, component_of
from wsolkit_tokencut.graph_cut import foreground_of, second_eigenvector, similarity_graph

__all__ = ["TokenCutMaps", "token_cut"]


def token_cut(
    features: Tensor, tau: float = 0.2, epsilon: float = 1e-5, soft: bool = False, component: bool = True
) -> Tensor:
    """Return the foreground of a normalised cut of each image's cells.

    Args:
        features: (B, C, h, w), of two cells at least.
        tau: see ``similarity_graph``.
        epsilon: see ``similarity_graph``.
        soft: how far the eigenvector lies beyond its mean, in the place of 1.
        component: keep the component alone that holds the cell of the largest absolute value.

    Returns:
        (B, h, w), float32: 0 in the background.
    """
    height, width = features.shape[-2:]
    values, seeds = foreground_of(second_eigenvector(similarity_graph(features, tau, epsilon)))
    maps = values.clamp_min(0).unflatten(1, (height, width))
    if component:
        maps = maps * torch.stack([component_of(each > 0, int(seed)) for each, seed in zip(maps, seeds, strict=True)])
    return (maps if soft else maps > 0).float()


class TokenCutMaps(FeatureMaps):
    """Cuts the graph of an image's cells in two and shows the part that stands out (TokenCut, CVPR 2022).

    It reads ``Activation.features``: the keys of a transformer's last block, or any other map of features. Nothing is
    trained, and the map is the same for every class.

    Args:
        tau: the least cosine of two cells that are alike.
        epsilon: the weight of edges between others.
        center: see ``FeatureMaps``.
        soft: show how far a cell lies in the foreground; 1 by default, as in the paper.
        component: show only what hangs together with the cell that stands out most, as in the paper.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(
        self,
        tau: Annotated[float, "in [-1, 1]"] = 0.2,
        epsilon: Annotated[float, "above 0"] = 1e-5,
        center: bool = False,
        soft: bool = False,
        component: bool = True,
        resize: MapResize = "bicubic",
        normalize: MapNormalize = "minmax",
    ) -> None:
        super().__init__(center, resize, normalize)
        self.tau = tau
        self.epsilon = epsilon
        self.soft = soft
        self.component = component

    def maps_of(self, features: Tensor) -> Tensor:
        """Return the foreground (B, h, w) of features (B, C, h, w)."""
        return token_cut(features, self.tau, self.epsilon, self.soft, self.component)
