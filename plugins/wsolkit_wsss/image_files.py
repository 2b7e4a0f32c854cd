"""Files named after images, in a folder: masks with VOC's palette and 8-bit maps."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from wsolkit import DataError, ShapeError, whole_file

__all__ = ["file_of", "read_gray", "voc_palette", "write_gray", "write_mask"]


def file_of(folder: str | Path, image_id: str, suffix: str = ".png") -> Path:
    """Return the file of an image in a folder; folders in the image's name become folders.

    Args:
        folder: where the files of all images lie.
        image_id: the image's name, such as ``2007_000032`` or ``train/00001``.
        suffix: what is put behind the name.

    Raises:
        DataError: the name would lead out of the folder.

    >>> file_of("cues", "train/00001").as_posix()
    'cues/train/00001.png'
    """
    name = PurePosixPath(image_id)
    if not image_id or name.is_absolute() or ".." in name.parts:
        raise DataError(f"The image name {image_id!r} leads out of {folder}. Name images by paths inside one folder.")
    return Path(folder) / f"{image_id}{suffix}"


def voc_palette() -> list[int]:
    """Return the 256 colours of VOC's masks as 768 numbers: the bits of an index, dealt to red, green and blue.

    Bit 3j of the index is bit 7 - j of red, bit 3j + 1 that of green, bit 3j + 2 that of blue.

    >>> colours = voc_palette()
    >>> colours[3:6], colours[45:48], colours[765:]
    ([128, 0, 0], [192, 128, 128], [224, 224, 192])
    """
    places = [(index, channel) for index in range(256) for channel in range(3)]
    return [sum((index >> (3 * j + channel) & 1) << (7 - j) for j in range(3)) for index, channel in places]


def write_mask(path: str | Path, mask: np.ndarray) -> None:
    """Write a class mask (H, W) uint8 as a PNG with VOC's palette, whole or not at all.

    Raises:
        ShapeError: it is not (H, W) uint8.
    """
    picture = Image.fromarray(checked(mask))
    picture.putpalette(voc_palette())
    with whole_file(path) as temporary:
        picture.save(temporary, format="PNG")


def write_gray(path: str | Path, values: np.ndarray) -> None:
    """Write values (H, W) uint8 as an 8-bit grayscale PNG, whole or not at all.

    Raises:
        ShapeError: they are not (H, W) uint8.
    """
    with whole_file(path) as temporary:
        Image.fromarray(checked(values)).save(temporary, format="PNG")


def read_gray(path: str | Path, what: str = "The map") -> np.ndarray:
    """Return the (H, W) uint8 values of an 8-bit grayscale PNG.

    Raises:
        DataError: the file is missing, broken, or not 8-bit grayscale.
    """
    if not Path(path).is_file():
        raise DataError(f"{what} {path} is missing. Run the stage that writes it for this split.")
    try:
        with Image.open(path) as picture:
            picture.load()
    except Exception as error:  # Pillow's plugins raise anything from OSError to struct.error
        raise DataError(f"{what} {path} cannot be read: {error}. Delete it and run its stage again.") from error
    if picture.mode != "L":
        raise DataError(f"{what} {path} should be 8-bit grayscale, but is {picture.mode}. Save it as such.")
    return np.array(picture)


def checked(values: np.ndarray) -> np.ndarray:
    """Return an array that can be written as a picture of one channel.

    Raises:
        ShapeError: it is not (H, W) uint8.
    """
    if values.ndim != 2 or values.dtype != np.uint8 or not values.size:
        raise ShapeError(f"A picture should be (H, W) uint8, but got {values.shape} {values.dtype}.")
    return np.ascontiguousarray(values)
