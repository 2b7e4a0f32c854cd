"""Class masks in VOC's colours, for people to look at."""

from __future__ import annotations

import numpy as np

from wsolkit.formats.masks import voc_palette

__all__ = ["colour_mask"]


def colour_mask(mask: np.ndarray, image: np.ndarray | None = None, strength: float = 0.65) -> np.ndarray:
    """Return a class mask (H, W) in VOC's colours, over its image where one is given.

    Args:
        mask: (H, W) uint8, 0 background, k + 1 class k.
        image: (H, W, 3) uint8, RGB; it shows through, and the background stays as it is.
        strength: how opaque the colours are.

    Returns:
        (H, W, 3) uint8.
    """
    colours = np.array(voc_palette(), np.uint8).reshape(256, 3)[mask]
    if image is None:
        return colours
    mixed = np.round(image * (1 - strength) + colours * strength).astype(np.uint8)
    return np.where(mask[..., None] > 0, mixed, image)
