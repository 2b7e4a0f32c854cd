"""A trained classifier that helps to train and to use another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsolkit import CheckpointError, ConfigError, Localizer, holds_config, is_data_only, load_model, predicted_classes

__all__ = ["FirstClassifier"]


class FirstClassifier:
    """A trained localizer: loaded when it is first needed, frozen, in eval mode, and in no other model's state dict.

    Args:
        part: what needs it, for messages.
        checkpoint: file that training wrote.
        config: name or path of its configuration; by default the one stored in the checkpoint, or else the
            ``config.py`` beside it. A model that was itself given as a checkpoint alone takes the stored one only.
    """

    def __init__(self, part: str, checkpoint: str | Path | None, config: str | Path | None = None) -> None:
        self.part = part
        self.checkpoint = checkpoint
        self.config = config
        self.multi_label = False
        self._data_only = is_data_only()
        self._model: Localizer | None = None

    def model(self, device: torch.device) -> Localizer:
        """Return the localizer on a device.

        Raises:
            ConfigError: no checkpoint is given, or there is no configuration for it.
            CheckpointError: the checkpoint is missing, cannot be read or is of another model.
        """
        if self._model is None:
            self._model = self._load()
        if self._model.device != device:
            self._model.to(device)
        return self._model

    def _load(self) -> Localizer:
        how = (
            "Train one, such as `wsolkit train wildcat_mobilenetv2_voc`, and give checkpoint=PATH of its best.pth or "
            "last.pth."
        )
        if self.checkpoint is None or str(self.checkpoint) in ("", "none"):
            raise ConfigError(f"{self.part} needs a first classifier that is trained, but has no checkpoint. {how}")
        path = Path(self.checkpoint).expanduser()
        if not path.is_file():
            raise CheckpointError(f"{self.part} needs a first classifier, but there is no checkpoint {path}. {how}")
        beside = path.with_name("config.py")
        alone = self._data_only or (self.config is None and holds_config(path))
        if not alone and self.config is None and not beside.is_file():
            raise ConfigError(
                f"{self.part} needs the configuration of its first classifier {path}, but the checkpoint holds none "
                "and there is no config.py beside it. Name it with config=..., or give a checkpoint of wsolkit."
            )
        with torch.random.fork_rng(devices=[]):  # building a model draws weights, which would change the training
            trained = load_model(path, device="cpu") if alone else load_model(self.config or beside, path, device="cpu")
        self.multi_label = trained.multi_label
        return trained.model.requires_grad_(False)

    def prepared(self, images: Tensor, preprocessor: Any) -> Tensor:
        """Return images that were normalised for another model as this one takes them.

        Args:
            images: (B, 3, H, W).
            preprocessor: the ``ImagePreprocessor`` that normalised them; None where it was one like this model's.
        """
        own = self.model(images.device).data_preprocessor
        if preprocessor is None or preprocessor is own:
            return images
        (scale, shift), (scale_here, shift_here) = (normalisation(each, images) for each in (own, preprocessor))
        if torch.equal(scale, scale_here) and torch.equal(shift, shift_here):
            return images
        factor = scale / scale_here
        return images * factor + (shift - shift_here * factor)

    def black(self, images: Tensor, preprocessor: Any) -> Tensor:
        """Return the colour black among such images, (3, 1, 1)."""
        return normalisation(preprocessor or self.model(images.device).data_preprocessor, images)[1]

    @torch.no_grad()
    def regions(self, images: Tensor, threshold: float, preprocessor: Any = None) -> Tensor:
        """Return where a score map of a predicted class exceeds a threshold, (B, H, W) bool.

        Args:
            images: (B, 3, H, W), normalised.
            threshold: of the maps in [0, 1].
            preprocessor: see ``prepared``.
        """
        model = self.model(images.device)
        seen = self.prepared(images, preprocessor)
        activation = model.activate(seen)
        classes, counts = predicted_classes(activation, self.multi_label)
        columns = torch.arange(classes.shape[1], device=images.device)
        meant = columns < torch.tensor(counts, device=images.device)[:, None]  # rows have different numbers of classes
        found = torch.zeros_like(images[:, 0], dtype=torch.bool)
        for column in range(classes.shape[1]):  # maps of all classes at once would fill the memory
            maps = model.cam_method(model, seen, classes[:, column].contiguous(), activation)
            found |= (maps > threshold) & meant[:, column, None, None]
        return found


def normalisation(preprocessor: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return scale and shift of an ``ImagePreprocessor``, each (3, 1, 1): images are pixels * scale + shift.

    Raises:
        ConfigError: it is something else.
    """
    scale, shift = getattr(preprocessor, "scale", None), getattr(preprocessor, "shift", None)
    if not isinstance(scale, Tensor) or not isinstance(shift, Tensor):
        raise ConfigError(
            f"A first classifier works on images of an ImagePreprocessor, but got {type(preprocessor).__name__}. Set "
            "data_preprocessor=dict(type='ImagePreprocessor')."
        )
    return scale.to(images)[:, None, None], shift.to(images)[:, None, None]
