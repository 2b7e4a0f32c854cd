"""Seeds: pixels that the map of an earlier stage is sure of, drawn anew at every step."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit import Activation, Batch, ConfigError, Loss
from wsolkit_fcam.decoder import BACKGROUND, FOREGROUND, PIXEL_LOGITS

__all__ = ["IGNORED", "PixelSeeds", "draw_seeds"]

IGNORED = -100
"""What cross entropy leaves out."""


def draw_seeds(maps: Tensor, count: int, strong: float, weak: float) -> Tensor:
    """Return which pixels are seeds, (B, h, w): 1 foreground, 0 background, -100 for the others (F-CAM, eq. 2 and 3).

    Foreground is drawn among the strongest pixels, the likelier the higher they score; background among the weakest,
    each as likely as the others. A map of one value gives none.

    Args:
        maps: (B, h, w) in [0, 1].
        count: seeds of each kind in an image.
        strong: share of the pixels that foreground is drawn from.
        weak: share of the pixels that background is drawn from.
    """
    scores = maps.flatten(1)  # (B, N)
    pixels = scores.shape[1]
    seeds = torch.full_like(scores, IGNORED, dtype=torch.long)
    order = scores.argsort(1, descending=True)
    top = order[:, : max(1, int(strong * pixels))]
    low = order[:, pixels - max(1, int(weak * pixels)) :]
    # Never all zeros, which cannot be drawn from.
    chances = scores.gather(1, top).double().clamp_min(1e-12)
    chosen = top.gather(1, torch.multinomial(chances, min(count, top.shape[1])))
    rest = low.gather(1, torch.multinomial(torch.ones_like(low, dtype=torch.double), min(count, low.shape[1])))
    seeds.scatter_(1, rest, BACKGROUND).scatter_(1, chosen, FOREGROUND)
    flat = scores.amax(1) <= scores.amin(1)
    seeds[flat] = IGNORED
    return seeds.view_as(maps)


class PixelSeeds(Loss):
    """Cross entropy at a few pixels drawn from ``Batch.extras["pseudo_maps"]``, the maps of an earlier stage (F-CAM).

    They come from ``train_dataloader.dataset.pseudo_maps``, the folder of a ``Maps`` stage, and are reduced to the size
    of the head's map.

    Args:
        count: seeds of each kind in an image at a step; 1 in the paper.
        strong: share of the pixels that foreground is drawn from, the strongest.
        weak: share of the pixels that background is drawn from, the weakest.
    """

    def __init__(
        self,
        count: Annotated[int, "at least 1"] = 1,
        strong: Annotated[float, "in (0, 1]"] = 0.3,
        weak: Annotated[float, "in (0, 1]"] = 0.3,
    ) -> None:
        super().__init__()
        self.count = count
        self.strong = strong
        self.weak = weak

    def forward(self, activation: Activation, batch: Batch) -> Tensor:
        """Return the mean over the seeds; 0 where no image has any.

        Raises:
            ConfigError: the head makes no logits of pixels, or the data has no pseudo maps.
        """
        logits = activation.need(PIXEL_LOGITS, self)
        maps = batch.extras.get("pseudo_maps")
        if maps is None:
            raise ConfigError(
                "PixelSeeds draws pixels from the maps of an earlier stage, but the data set gives none. Name their "
                "folder in train_dataloader.dataset.pseudo_maps, such as that of a Maps stage.",
                about="PixelSeeds",
            )
        small = F.interpolate(maps.float(), size=logits.shape[-2:], mode="area")[:, 0]
        seeds = draw_seeds(small, self.count, self.strong, self.weak)
        found = F.cross_entropy(logits, seeds, ignore_index=IGNORED, reduction="sum")
        return found / (seeds != IGNORED).sum().clamp_min(1)
