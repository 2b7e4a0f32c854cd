"""Brings 16-bit pixels to 8 bits: by their high byte, or, where cameras left it empty, by the bits that are used.

Scanners, microscopes and thermal cameras store 12 bits in files of 16, which would come out black. Files whose largest
value fits into 12 bits are scaled by 12, those whose values fit into 8 are taken as they are, all others by 16: a dark
picture of the full range keeps its darkness.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from wsolkit.formats.image_headers import open_picture, read_header

__all__ = ["bits_used", "deep_colours", "eight_bits", "used_bits"]

STEPS = (8, 12, 16)


def used_bits(values: np.ndarray) -> int:
    """Return how many bits whole numbers use: 8, 12 or 16.

    >>> used_bits(np.array([0, 4095])), used_bits(np.array([4096])), used_bits(np.array([255]))
    (12, 16, 8)
    """
    largest = int(values.max()) if values.size else 0
    return next((bits for bits in STEPS if largest < 1 << bits), STEPS[-1])


def eight_bits(values: np.ndarray) -> np.ndarray:
    """Return whole numbers as uint8, by the bits they use; what is outside 0 to 65535 is cut off.

    >>> eight_bits(np.array([0, 4095])).tolist(), eight_bits(np.array([4095, 65535])).tolist()
    ([0, 255], [15, 255])
    """
    values = np.clip(values, 0, 65535).astype(np.uint16)
    return (values >> (used_bits(values) - 8)).astype(np.uint8)


def deep_colours(picture: Image.Image, data: np.ndarray, scaled: bool = True) -> np.ndarray | None:
    """Return a 16-bit picture in colours as (H, W, 3) uint8, not turned; None where its high bytes are what is wanted.

    Args:
        picture: the loaded picture, of whose colours Pillow has the high bytes alone.
        data: the file, for the low bytes.
        scaled: False for the 16 bits themselves.
    """
    if picture.mode not in ("RGB", "RGBA", "LA"):
        return None
    if np.asarray(picture)[..., : 1 if picture.mode == "LA" else 3].max() >= 16:  # more than 12 bits
        return None
    deep = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION)
    if deep is None or deep.dtype != np.uint16:
        return None
    return eight_bits(deep) if scaled else deep


def bits_used(path: str | Path) -> int | None:
    """Return how many bits the values of a 16-bit image file use, where they are fewer; None for all other files."""
    try:
        with Path(path).open("rb") as file, open_picture(file) as picture:
            if read_header(picture, file).bits != STEPS[-1]:
                return None
            picture.load()
            if picture.mode.startswith("I"):
                bits = used_bits(np.asarray(picture))
            else:
                file.seek(0)
                deep = deep_colours(picture, np.frombuffer(file.read(), np.uint8), scaled=False)
                bits = STEPS[-1] if deep is None else used_bits(deep)
    except Exception:  # as Pillow's plugins raise; whether a file can be read is said elsewhere
        return None
    return bits if bits < STEPS[-1] else None
