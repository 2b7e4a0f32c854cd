"""The CAM method of DANet: the maps of a class and of the groups it belongs to, fused."""

from __future__ import annotations

import torch
from torch import Tensor

from wsolkit import Activation, CamMethod, MapNormalize, MapResize, Model
from wsolkit.components import normalized_maximum

__all__ = ["FusedMaps"]


class FusedMaps(CamMethod):
    """Fuses the map of a class with those of its groups on every level of ``DivergentHead``, by their maximum (DANet).

    Args:
        groups: whether the groups' maps count; False leaves the mean of the class's own maps, as ``HeadMaps``.
        resize: see ``CamMethod``.
        normalize: see ``CamMethod``.
    """

    def __init__(self, groups: bool = True, resize: MapResize = "bicubic", normalize: MapNormalize = "minmax") -> None:
        super().__init__(resize, normalize)
        self.groups = groups

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) of the classes.

        Raises:
            ConfigError: the head has no maps of groups.
        """
        seen = model.activate(images) if activation is None else activation
        groups = seen.need("groups", self)
        index = classes if classes.ndim == 2 else classes[:, None]  # (B, T)
        rows = torch.arange(len(index), device=index.device)[:, None]
        maps = [seen.of(index)]
        for number, level in enumerate(groups if self.groups else ()):
            maps.append(seen.extras[f"group_maps_{number}"][rows, level[index]])
        found = normalized_maximum(*maps)
        return found if classes.ndim == 2 else found[:, 0]
