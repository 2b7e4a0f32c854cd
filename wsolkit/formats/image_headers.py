"""What an image file says before its pixels: size and orientation, read in one way for whoever asks; and the limit.

Orientation is that of EXIF. Pillow gives sizes as stored for most formats and as displayed for TIFF, so nobody else
asks it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from PIL import Image, UnidentifiedImageError

from wsolkit.errors import ConfigError, DataError

__all__ = ["LIMIT", "Header", "check_size", "displayed_size", "most_pixels", "open_picture", "read_header"]

ORIENTATION = 0x0112
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""
PNG_START = 8
"""Bytes before the first chunk of a PNG."""
LATE = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
"""Chunks of a PNG that may hold EXIF, and may stand behind the pixels."""

LIMIT = "WSOLKIT_MAX_PIXELS"
"""Environment variable: how many pixels an image may have at most to be decoded."""
MOST_PIXELS = 2**28

unlimited = threading.Lock()


class Header(NamedTuple):
    """What a file says of its picture.

    Attributes:
        kind: the format, such as ``JPEG``.
        stored: (width, height) of the pixels in the file.
        orientation: of EXIF, 1 to 8; 1 is upright.
        bits: bits of a channel, 8 or 16.
    """

    kind: str
    stored: tuple[int, int]
    orientation: int
    bits: int

    @property
    def displayed(self) -> tuple[int, int]:
        """(width, height) of the picture as it is displayed."""
        return self.stored[::-1] if self.orientation in SIDEWAYS else self.stored


@contextmanager
def open_picture(file: BinaryIO) -> Iterator[Image.Image]:
    """Open an image without reading its pixels, whatever size it says: how large it may be is decided elsewhere.

    Raises:
        Exception: Pillow's plugins raise anything from OSError to struct.error.
    """
    with unlimited:  # Pillow's limit is one number for the whole process
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            picture = Image.open(file)
        except UnidentifiedImageError as error:
            if "cannot identify" not in str(error):
                raise
            raise UnidentifiedImageError("its content is no image that Pillow knows") from error  # not an object's name
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    with picture:
        yield picture


def read_header(picture: Image.Image, file: BinaryIO) -> Header:
    """Return what the file of a picture says, which was opened and not yet loaded.

    Raises:
        Exception: as ``open_picture``.
    """
    stored = picture.size
    tags = getattr(picture, "tag_v2", {})
    if picture.format == "TIFF" and 256 in tags and 257 in tags:
        stored = (int(tags[256]), int(tags[257]))
    deep = picture.mode.startswith("I") or any(";16" in str(tile[3]) for tile in getattr(picture, "tile", ()))
    return Header(picture.format or "", stored, orientation_of(picture, file), 16 if deep else 8)


def orientation_of(picture: Image.Image, file: BinaryIO) -> int:
    """Return the EXIF orientation of a picture that is not loaded; 1 where there is none, or a broken one."""
    try:
        if picture.format in ("JPEG", "MPO"):  # newer releases of Pillow look into XMP too, which nobody else does
            exif = Image.Exif()
            exif.load(picture.info.get("exif", b""))
        elif picture.format == "PNG" and not speaks_late(file):
            exif = Image.Image.getexif(picture)  # PNG's own would decode the pixels to look behind them
        else:
            exif = picture.getexif()
        found: Any = exif.get(ORIENTATION)
    except Exception:  # as Pillow's plugins raise; a picture with broken EXIF is a picture
        return 1
    return int(found) if found in range(1, 9) else 1


def speaks_late(file: BinaryIO) -> bool:
    """Whether a PNG has chunks behind its pixels that may hold EXIF; the file's position is kept."""
    position = file.tell()
    try:
        file.seek(PNG_START)
        behind = False
        while len(head := file.read(8)) == 8:
            kind = head[4:]
            if behind and kind in LATE:
                return True
            behind = behind or kind == b"IDAT"
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)
        return False
    finally:
        file.seek(position)


def displayed_size(path: str | Path) -> tuple[int, int]:
    """Return (width, height) of an image file as it is displayed, from its header.

    Raises:
        DataError: the file is missing or no image.
    """
    try:
        with Path(path).open("rb") as file, open_picture(file) as picture:
            return read_header(picture, file).displayed
    except Exception as error:  # Pillow's plugins raise anything from OSError to struct.error
        raise DataError(
            f"The size of image {path} cannot be read: {error}. Check the path (--images), or state the size in the "
            "annotations."
        ) from error


def most_pixels() -> int:
    """Return how many pixels an image may have: 2^28 (268 million), or what ``WSOLKIT_MAX_PIXELS`` says.

    Raises:
        ConfigError: the variable is no positive whole number.
    """
    text = os.environ.get(LIMIT) or str(MOST_PIXELS)
    if not text.isdecimal() or not 0 < len(text) < 16 or int(text) < 1:
        raise ConfigError(f"The environment variable {LIMIT} should be a number of pixels, but is {text[:40]!r}.")
    return int(text)


def check_size(what: str, size: tuple[int, int], factor: int = 1) -> None:
    """Refuse an image of too many pixels before they are decoded.

    Args:
        what: what it is, as the start of a sentence.
        size: (width, height) as stored.
        factor: what its sides are divided by while it is decoded.

    Raises:
        DataError: it has more than ``most_pixels()``.
    """
    width, height = size
    if width * height > most_pixels() * factor**2:
        raise DataError(
            f"{what} has {width} x {height} pixels, but no more than {most_pixels()} are read: each may take ten bytes "
            f"of memory. Make it smaller, or set the environment variable {LIMIT} to {width * height}."
        )
