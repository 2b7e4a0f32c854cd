"""The plainest CAM method: the head's own maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from wsolkit.interfaces import Activation, CamMethod

if TYPE_CHECKING:
    from wsolkit.localizer import Localizer

__all__ = ["HeadMaps"]


class HeadMaps(CamMethod):
    """Takes the maps of the asked classes from the head."""

    def raw_maps(
        self, model: Localizer, images: Tensor, classes: Tensor, activation: Activation | None = None
    ) -> Tensor:
        """Return maps (B, h, w) or (B, T, h, w) for ``classes`` (B,) or (B, T)."""
        return (activation or model.activate(images)).of(classes)
