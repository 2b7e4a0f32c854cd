"""A picture of a pseudo box: the image and its score map side by side, the box drawn on both."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["box_picture"]

LINE = (255, 60, 60)


def box_picture(image: np.ndarray, box: np.ndarray, score_map: np.ndarray) -> np.ndarray:
    """Return an image with its box, and its map with the same box to the right.

    Args:
        image: (H, W, 3) uint8, RGB.
        box: (4,) x0 y0 x1 y1 in pixels of the image.
        score_map: (h, w) in [0, 1]; resized to the image.

    Returns:
        (H, 2 * W, 3) uint8.
    """
    height, width = image.shape[:2]
    grey = Image.fromarray(np.round(255 * np.asarray(score_map, np.float32).clip(0, 1)).astype(np.uint8))
    found = Image.fromarray(np.concatenate([image, np.asarray(grey.resize((width, height)).convert("RGB"))], axis=1))
    pen = ImageDraw.Draw(found)
    x0, y0, x1, y1 = (float(side) for side in box)
    for left in (0, width):
        corners = (left + x0, y0, left + max(x1 - 1, x0), max(y1 - 1, y0))
        pen.rectangle(corners, outline=LINE, width=max(1, round(height / 70)))
    return np.asarray(found)
