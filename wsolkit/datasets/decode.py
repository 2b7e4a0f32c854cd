"""Reads image files as uint8 tensors, upright, in RGB."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageOps

from wsolkit.errors import DataError

__all__ = ["read_image"]

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


def read_image(path: str | Path) -> torch.Tensor:
    """Return the image of a file as (3, H, W) uint8, EXIF orientation applied.

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
            return torch.from_numpy(pixels).permute(2, 0, 1)
    try:
        with Image.open(path) as picture:
            upright = rgb(ImageOps.exif_transpose(picture))
    except Exception as error:  # Pillow's plugins raise anything from OSError to struct.error
        raise DataError(
            f"Image {path} cannot be read ({data.size} bytes): {error}. Replace the file or leave it out."
        ) from error
    return torch.from_numpy(np.array(upright)).permute(2, 0, 1)


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
