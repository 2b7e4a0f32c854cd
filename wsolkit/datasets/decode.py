"""Reads image files as uint8 arrays or tensors, upright, in RGB; arrays without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageOps

from wsolkit.errors import DataError

if TYPE_CHECKING:
    import torch

__all__ = ["read_image", "read_pixels"]

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


def read_image(path: str | Path) -> torch.Tensor:
    """Return the image of a file as a tensor (3, H, W) uint8, EXIF orientation applied; see ``read_pixels``.

    Raises:
        DataError: the file is missing, empty, truncated, no image, or holds floating-point pixels.
    """
    from torch import from_numpy

    return from_numpy(read_pixels(path)).permute(2, 0, 1)


def read_pixels(path: str | Path) -> np.ndarray:
    """Return the image of a file as (H, W, 3) uint8, EXIF orientation applied.

    Complete JPEGs go through OpenCV's decoder, whose pixels are Pillow's, only sooner. Anything else goes through
    Pillow: other formats, and JPEGs that do not end where a JPEG ends, because OpenCV fills in grey for what is
    missing. Of an animation this is the first frame; transparency is dropped; 16-bit grayscale is scaled to 8 bits.

    Raises:
        DataError: the file is missing, empty, truncated, no image, or holds floating-point pixels.
    """
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"Image {path} cannot be opened: {error.strerror or error}. Check the path.") from error
    if data[:3].tobytes() == JPEG_START and data[-2:].tobytes() == JPEG_END:
        try:
            pixels = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
        except cv2.error:
            pixels = None
        if pixels is not None:  # else Pillow has the last word on whether the file is broken
            return pixels
    try:
        with Image.open(path) as picture:
            upright = rgb(ImageOps.exif_transpose(picture))
    except Exception as error:  # Pillow's plugins raise anything from OSError to struct.error
        raise DataError(
            f"Image {path} cannot be read ({data.size} bytes): {error}. Replace the file or leave it out."
        ) from error
    return np.array(upright)


def rgb(picture: Image.Image) -> Image.Image:
    """Return the picture in RGB, 8 bits per channel, 16-bit grayscale scaled.

    Raises:
        ValueError: the pixels are floating-point numbers, whose range nobody can know.
    """
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers, save it with 8 bits per channel")
    if picture.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
        picture = Image.fromarray((np.asarray(picture).astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8))
    return picture.convert("RGB")
