"""What either branch sees: the union of two maps, at every threshold at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsolkit import Activation, CamMethod, MapNormalize, MapResize, Model, Panel, ShapeError
from wsolkit.components import HeadMaps

__all__ = ["BranchUnion"]


class BranchUnion(CamMethod):
    """Unites the maps of both branches of ``TwoBranchHead`` (CSoA, eq. 13).

    Each map is resized to the input, its negative scores are cut off and it is divided by its maximum; the larger of
    the two is taken in each pixel. A pixel is then above theta exactly where it is above theta times the maximum of one
    map or of the other, so a box threshold theta is the paper's, whatever it is.

    Args:
        resize: see ``CamMethod``.
        normalize: applied to the union: ``max`` leaves it as it is; with ``minmax`` thresholds mean something else.
    """

    def __init__(self, resize: MapResize = "bicubic", normalize: MapNormalize = "max") -> None:
        super().__init__(resize, normalize)
        self.branch = HeadMaps(resize, "max")

    def raw_maps(self, model: Model, images: Tensor, classes: Tensor, activation: Activation | None = None) -> Tensor:
        """Return the union (B, H, W) or (B, T, H, W) in [0, 1] for ``classes`` (B,) or (B, T).

        Raises:
            ConfigError: the head has one branch.
            ShapeError: the branches differ in size, and ``resize`` is ``none``.
            MapError: a map holds NaN or infinity.
        """
        return torch.maximum(*self.branches(model, images, classes, activation or model.activate(images)))

    def panels(self, model: Model, images: Tensor, label: int, activation: Activation) -> Sequence[Panel]:
        """Return S_L, S_F and their union (figure 4)."""
        late, early = self.branches(model, images, torch.tensor([label], device=images.device), activation)
        maps = {"S_L": late, "S_F": early, "union": torch.maximum(late, early)}
        return [Panel(name, each[0].cpu().numpy()) for name, each in maps.items()]

    def branches(self, model: Model, images: Tensor, classes: Tensor, activation: Activation) -> tuple[Tensor, Tensor]:
        """Return the maps of the late and of the early branch in [0, 1]; see ``raw_maps``."""
        early_maps = activation.need("early_maps", self)
        late = self.branch(model, images, classes, activation)
        early = self.branch(model, images, classes, Activation(early_maps, activation.logits))
        if early.shape != late.shape:
            raise ShapeError(
                f"BranchUnion with resize='none' needs branches of one size, but TwoBranchHead gives maps of "
                f"{tuple(early.shape[-2:])} and {tuple(late.shape[-2:])} cells. Use resize='bicubic'."
            )
        return late, early
