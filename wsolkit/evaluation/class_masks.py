"""Class masks: 0 is the background, k + 1 class k, 255 is left out."""

from __future__ import annotations

import numpy as np

from wsolkit.errors import ConfigError, DataError

__all__ = ["IGNORED", "fit_mask", "mask_value"]

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
