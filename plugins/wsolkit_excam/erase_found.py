"""Blacks out of an image what another classifier, trained before, found in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor

from wsolkit import MapModifier, ShapeError
from wsolkit_excam.first_classifier import FirstClassifier

__all__ = ["EraseFound"]


class EraseFound(MapModifier):
    """Blacks out the regions that a trained first classifier found, in training (ex-CAM, section 3.8.2).

    The first classifier says which classes it sees; where a score map of one of them, in [0, 1] at the size of the
    image, exceeds the threshold, the image becomes black. Labels are not looked at. In evaluation images are whole.
    It sits on the input: ``dict(type="EraseFound", at="image", checkpoint="work_dirs/.../best.pth")``.

    Args:
        checkpoint: of the first classifier; loaded when a training begins, and in no state dict of this model.
        config: its configuration; by default the one stored in the checkpoint, or the ``config.py`` beside it.
        threshold: of its maps, in [0, 1).
        preprocessor: what normalised the images; a ``Localizer`` fills in its own.

    Raises:
        ConfigError: the threshold is out of range.
    """

    only_at: ClassVar[str | None] = "image"

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        config: str | Path | None = None,
        threshold: Annotated[float, "in [0, 1)"] = 0.6,
        preprocessor: Any = None,
    ) -> None:
        super().__init__()
        self.first = FirstClassifier("EraseFound", checkpoint, config)
        self.threshold = threshold
        self._preprocessor = (preprocessor,)  # in a tuple, so that it does not become a part of this module

    def modify(self, maps: Tensor) -> Tensor:
        """Return images (B, 3, H, W) with what was found in black.

        Raises:
            ConfigError: there is no checkpoint, or no configuration for it.
            CheckpointError: the checkpoint is missing, cannot be read or is of another model.
            ShapeError: these are no images.
        """
        (preprocessor,) = self._preprocessor
        self.first.model(maps.device)
        if maps.shape[1] != 3:
            raise ShapeError(f"EraseFound erases images (B, 3, H, W), but got {tuple(maps.shape)}. Set at='image'.")
        found = self.first.regions(maps, self.threshold, preprocessor)
        self.note(erased=found.mean(dtype=torch.float32))
        return torch.where(found[:, None], self.first.black(maps, preprocessor), maps)

    def prepare_training(self) -> None:
        """Load the first classifier.

        Raises:
            ConfigError: there is no checkpoint, or no configuration for it.
            CheckpointError: the checkpoint is missing, cannot be read or is of another model.
        """
        self.first.model(torch.device("cpu"))
