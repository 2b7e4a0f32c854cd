"""Reads mask files: arrays of class indices, or of zero and non-zero."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from wsolkit.errors import DataError

__all__ = ["read_binary_mask", "read_index_mask"]


def read_index_mask(path: str | Path) -> np.ndarray:
    """Return the (H, W) uint8 indices of a paletted or grayscale mask file.

    Raises:
        DataError: the file is missing, broken, or holds colours instead of indices.
    """
    image = opened(path)
    if image.mode not in ("P", "L"):
        raise DataError(
            f"Mask {path} should hold one index per pixel (paletted or 8-bit grayscale), but is {image.mode}. "
            "Save it with its palette, not as colours."
        )
    return np.array(image)


def read_binary_mask(path: str | Path, above: int = 0) -> np.ndarray:
    """Return (H, W) bool: where the grayscale value of a mask file is greater than ``above``.

    Raises:
        DataError: the file is missing or no image.
    """
    image = opened(path)
    return np.array(image if image.mode == "L" else image.convert("L")) > above


def opened(path: str | Path) -> Image.Image:
    """Open a mask and read it.

    Raises:
        DataError: the file is missing or no image.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except Exception as error:  # Pillow's plugins raise anything from OSError to struct.error
        raise DataError(f"Mask {path} cannot be read: {error}. Replace the file or leave it out.") from error
