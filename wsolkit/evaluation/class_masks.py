"""Class masks: 0 is the background, k + 1 class k, 255 is left out.

Where there are more classes than 8 bits hold, masks are uint16, and 65535 is left out.
"""

from __future__ import annotations

import numpy as np

from wsolkit.errors import ConfigError, DataError

__all__ = ["IGNORED", "WIDE_IGNORED", "fit_mask", "ignored_in", "mask_value"]

IGNORED = 255
"""Value of the pixels that evaluation leaves out."""

WIDE_IGNORED = 65535
"""That value in masks of uint16."""


def ignored_in(mask: np.ndarray) -> int:
    """Return the value of the pixels that evaluation leaves out in a mask.

    >>> ignored_in(np.zeros((1, 1), np.uint8)), ignored_in(np.zeros((1, 1), np.uint16))
    (255, 65535)
    """
    return WIDE_IGNORED if mask.dtype == np.uint16 else IGNORED


def mask_value(label: int, ignored: int = IGNORED) -> int:
    """Return the value of class ``label`` in a class mask: one more, for 0 is the background.

    Args:
        label: the class.
        ignored: the value of ignored pixels: ``IGNORED``, or ``WIDE_IGNORED`` in masks of uint16.

    Raises:
        ConfigError: the value does not fit below the ignored one.

    >>> mask_value(0), mask_value(1000, WIDE_IGNORED)
    (1, 1001)
    """
    if not 0 <= label + 1 < ignored:
        raise ConfigError(
            f"A class mask holds classes 0 to {ignored - 2}, but got class {label}. "
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
