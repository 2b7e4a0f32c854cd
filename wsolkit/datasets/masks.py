"""Reads mask files: arrays of class indices, or of zero and non-zero."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from wsolkit.errors import ConfigError, DataError

__all__ = ["IGNORED", "fit_mask", "mask_value", "read_binary_mask", "read_index_mask"]

IGNORED = 255
"""Value of the pixels that evaluation leaves out."""


def mask_value(label: int) -> int:
    """Return the value of class ``label`` in a class mask: one more, for 0 is the background.

    Raises:
        ConfigError: the value does not fit beside the ignored one into 8 bits.

    >>> mask_value(0)
    1
    """
    if not 0 <= label + 1 < IGNORED:
        raise ConfigError(
            f"A class mask holds classes 0 to {IGNORED - 2}, but got class {label}. "
            "Set masks=False, or choose fewer classes."
        )
    return label + 1


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


def fit_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the mask at ``size`` = (width, height), each pixel taken from the place it falls on (nearest).

    Raises:
        DataError: the mask is that of the image lying on its side.

    >>> fit_mask(np.array([[0, 1]], dtype=np.uint8), (4, 1)).tolist()
    [[0, 0, 1, 1]]
    """
    height, width = mask.shape
    if (width, height) == size:
        return mask
    if (height, width) == size:
        raise DataError(
            f"A mask of {width}x{height} pixels belongs to an image shown as {size[0]}x{size[1]}: it was drawn before "
            "the image was turned upright. Store the image without an EXIF orientation, or turn its mask."
        )
    rows = (np.arange(size[1]) * height) // size[1]
    columns = (np.arange(size[0]) * width) // size[0]
    return mask[rows[:, None], columns]


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
