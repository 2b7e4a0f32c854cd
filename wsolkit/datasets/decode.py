"""Reads image files as uint8 arrays or tensors, upright, in RGB; arrays without torch."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from wsolkit.datasets.sixteen_bits import deep_colours, eight_bits
from wsolkit.errors import DataError, WsolkitError
from wsolkit.formats.image_headers import Header, check_size, open_picture, read_header

if TYPE_CHECKING:
    import torch

__all__ = ["read_image", "read_pixels", "read_shrunk", "rgb"]

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
REDUCED = {1: cv2.IMREAD_COLOR_RGB, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
           8: cv2.IMREAD_REDUCED_COLOR_8}  # fmt: skip
HUGE = 2**26
"""Images of more pixels than this are decoded smaller where only a small image is wanted; cameras' are not."""
STRIP = 2**24
"""Pixels that are converted at a time."""
GREY = (128, 63, 64, 65)
"""What decoders put where a JPEG's data ends early, and what becomes of it in CMYK."""


def read_image(path: str | Path) -> torch.Tensor:
    """Return the image of a file as a tensor (3, H, W) uint8, EXIF orientation applied; see ``read_pixels``.

    Raises:
        DataError: as ``read_pixels``.
    """
    from torch import from_numpy

    return from_numpy(read_pixels(path)).permute(2, 0, 1)


def read_shrunk(path: str | Path, size: tuple[int, int]) -> tuple[torch.Tensor, tuple[int, int]]:
    """Return an image (3, h, w) uint8 that will be shrunk to a size, and the (width, height) it is displayed at.

    JPEGs of more than 67 million pixels are decoded at a half, a quarter or an eighth of their sides, as long as the
    sides stay twice those of ``size``. All other images come as they are.

    Args:
        path: the file.
        size: (height, width) the image is going to have.

    Raises:
        DataError: as ``read_pixels``.
    """
    from torch import from_numpy

    pixels, header = decoded(path, size)
    return from_numpy(pixels).permute(2, 0, 1), header.displayed


def read_pixels(path: str | Path) -> np.ndarray:
    """Return the image of a file as (H, W, 3) uint8, EXIF orientation applied.

    Complete JPEGs go through OpenCV's decoder, whose pixels are Pillow's, only sooner. Anything else goes through
    Pillow: other formats, and JPEGs that do not end where a JPEG ends, because OpenCV fills in grey for what is
    missing. Of an animation this is the first frame; transparency is dropped; 16 bits are scaled to 8 as
    ``wsolkit.datasets.sixteen_bits`` says.

    Raises:
        DataError: the file is missing, empty, truncated, no image, holds floating-point pixels, or more pixels than
            ``most_pixels()``.
    """
    return decoded(path)[0]


def decoded(path: str | Path, size: tuple[int, int] | None = None) -> tuple[np.ndarray, Header]:
    """Return the pixels of a file and what its header says; see ``read_pixels`` and ``read_shrunk``."""
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"Image {path} cannot be opened: {error.strerror or error}. Check the path.") from error
    try:
        file = io.BytesIO(data.data)
        with open_picture(file) as picture:
            header = read_header(picture, file)
            factor = 1 if size is None else reduction(header, size)
            check_size(f"Image {path}", header.stored, 1 if picture.info.get("progressive") else factor)
            pixels = jpeg_pixels(data, factor) if header.kind in ("JPEG", "MPO") else None
            if pixels is not None:
                return turned(pixels, header.orientation), header
            return pillow_pixels(picture, header, data), header
    except WsolkitError:
        raise
    except UnidentifiedImageError as error:
        pixels = jpeg_pixels(data)
        if pixels is not None:  # OpenCV takes some JPEGs whose notes Pillow cannot parse
            return pixels, Header("JPEG", (pixels.shape[1], pixels.shape[0]), 1, 8)
        raise unreadable(path, data, error) from error
    except Exception as error:  # Pillow's plugins raise anything from OSError to struct.error
        raise unreadable(path, data, error) from error


def unreadable(path: str | Path, data: np.ndarray, error: Exception) -> DataError:
    """Return the error about a file that is no whole image."""
    return DataError(f"Image {path} cannot be read ({data.size} bytes): {error}. Replace the file or leave it out.")


def reduction(header: Header, size: tuple[int, int]) -> int:
    """Return by what a huge JPEG is divided: 1, 2, 4 or 8; the sides stay at least twice those of (height, width).

    >>> reduction(Header("JPEG", (30000, 30000), 1, 8), (224, 224))
    4
    """
    width, height = header.displayed
    factor = 1
    if header.kind not in ("JPEG", "MPO"):
        return factor
    while factor < 8 and width * height > HUGE * factor**2:
        if height < 4 * factor * size[0] or width < 4 * factor * size[1]:
            break
        factor *= 2
    return factor


def jpeg_pixels(data: np.ndarray, factor: int = 1) -> np.ndarray | None:
    """Return the pixels (H, W, 3) of a JPEG as stored, or None where Pillow has to say whether it is broken.

    Raises:
        ValueError: its data ends before its pixels do.
    """
    if data[:3].tobytes() != JPEG_START or data[-2:].tobytes() != JPEG_END:
        return None
    how = REDUCED[factor] | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(data, how)
    except cv2.error:
        return None
    if pixels is None:
        return None
    if ends_grey(pixels) and ends_early(data, how, pixels):
        raise ValueError("its data ends early, and the rest of the picture would be grey")
    return pixels if factor == 1 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def ends_grey(pixels: np.ndarray) -> bool:
    """Whether the last pixels of a JPEG are what decoders put where nothing is left to decode."""
    last = pixels[-1, -1, 0]
    return int(last) in GREY and bool((pixels[-2:, -2:] == last).all())


def ends_early(data: np.ndarray, how: int, pixels: np.ndarray) -> bool:
    """Whether a JPEG, the end marker apart, stops before its last pixel: then more data would change the picture."""
    more = np.arange(1, 255, dtype=np.uint8)  # no marker among them
    longer = np.concatenate([data[:-2], more, data[-2:]])
    again = cv2.imdecode(longer, how)
    return again is None or not np.array_equal(again, pixels)


def pillow_pixels(picture: Image.Image, header: Header, data: np.ndarray) -> np.ndarray:
    """Return the pixels (H, W, 3) of an opened picture, upright.

    Raises:
        ValueError: the pixels are floating-point numbers.
        Exception: as Pillow's plugins raise.
    """
    picture.load()
    deep = deep_colours(picture, data) if header.bits == 16 else None
    if deep is not None:
        return turned(deep, header.orientation)
    if header.kind == "TIFF":  # Pillow turns these itself
        ImageOps.exif_transpose(picture, in_place=True)
        return rgb(picture)
    return turned(rgb(picture), header.orientation)


def rgb(picture: Image.Image) -> np.ndarray:
    """Return a picture as (H, W, 3) uint8; converted strip by strip, so that it is in memory twice at most.

    Raises:
        ValueError: the pixels are floating-point numbers, whose range nobody can know.
    """
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers, save it with 8 bits per channel")
    if picture.mode.startswith("I"):
        values = eight_bits(np.asarray(picture))
        return np.repeat(values[..., None], 3, axis=2)
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        strip = picture if rows >= height else picture.crop((0, top, width, min(top + rows, height)))
        pixels[top : top + rows] = np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
    return pixels


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return stored pixels (H, W, 3) as they are displayed.

    >>> turned(np.arange(6).reshape(2, 3, 1), 6)[..., 0].tolist()
    [[3, 0], [4, 1], [5, 2]]
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
