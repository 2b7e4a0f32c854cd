"""Turns a batch of uint8 images into what a network takes, on the device, in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor

from wsolkit.errors import ConfigError
from wsolkit.interfaces import KnownLevels

__all__ = ["ImagePreprocessor"]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class ImagePreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and normalises its images: (x / 255 - mean) / std per channel.

    Args:
        mean: mean of each channel in [0, 1]; ImageNet's by default.
        std: standard deviation of each channel.
        channels_last: lay images out with the channels innermost, which convolutions on CPUs and tensor cores like.

    >>> batch = {"inputs": torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)}
    >>> ImagePreprocessor(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))(batch)["inputs"].mean().round(decimals=5).item()
    1.0
    """

    def __init__(
        self,
        mean: Sequence[float] = IMAGENET[0],
        std: Sequence[float] = IMAGENET[1],
        channels_last: bool = True,
    ) -> None:
        super().__init__(non_blocking=True)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ConfigError(f"mean and std should be three numbers each, std positive, but got {mean} and {std}.")
        scale = 1 / (255 * torch.tensor(std, dtype=torch.float32))
        shift = -torch.tensor(mean, dtype=torch.float32) / torch.tensor(std, dtype=torch.float32)
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("shift", shift, persistent=False)
        self.channels_last = channels_last

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return the batch with ``inputs`` (B, 3, H, W) float32, or known levels, everything on the device."""
        extras = data.get("extras")
        data = self._moved(data) | ({} if extras is None else {"extras": self._moved(extras)})
        images = data["inputs"]
        if isinstance(images, KnownLevels):
            return data | {"inputs": images.to(self.device)}
        if not self.channels_last:
            data["inputs"] = images.contiguous().float().mul_(self.scale[:, None, None]).add_(self.shift[:, None, None])
            return data
        rows = images.permute(0, 2, 3, 1).contiguous().float()  # (B, H, W, 3)
        flat = rows.view(-1, rows.shape[2] * 3)  # whole rows of pixels: an inner loop of 3 would be slow
        flat.mul_(self.scale.repeat(rows.shape[2])).add_(self.shift.repeat(rows.shape[2]))
        data["inputs"] = rows.permute(0, 3, 1, 2)
        return data

    def _moved(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return a dict with its tensors on the device."""
        return {
            key: value.to(self.device, non_blocking=True) if isinstance(value, torch.Tensor) else value
            for key, value in data.items()
        }

    def to_pixels(self, images: torch.Tensor) -> torch.Tensor:
        """Return the uint8 images (B, 3, H, W) that normalised ones were made of.

        >>> preprocessor = ImagePreprocessor()
        >>> pixels = torch.randint(256, (1, 3, 4, 4), dtype=torch.uint8)
        >>> bool((preprocessor.to_pixels(preprocessor({"inputs": pixels})["inputs"]) == pixels).all())
        True
        """
        channels = (-1, 1, 1)
        restored = (images.float() - self.shift.view(channels)) / self.scale.view(channels)
        return restored.round().clamp(0, 255).to(torch.uint8)
