"""Mask files, read and written: class indices with VOC's palette, zero and non-zero, and 8-bit maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from wsolkit.errors import DataError, ShapeError
from wsolkit.files import whole_file
from wsolkit.formats.image_headers import check_size, open_picture

__all__ = ["read_binary_mask", "read_gray", "read_index_mask", "voc_palette", "write_gray", "write_index_mask"]


def read_index_mask(path: str | Path) -> np.ndarray:
    """Return the (H, W) uint8 indices of a paletted or grayscale mask file.

    Programs that save with as few colours as they can number VOC's colours anew; where every colour of a file's palette
    is one of VOC's, an index is that of VOC's palette, whatever the file calls it.

    Raises:
        DataError: the file is missing, broken, or holds colours instead of indices.
    """
    image = opened(path)
    if image.mode not in ("P", "L"):
        raise DataError(
            f"Mask {path} should hold one index per pixel (paletted or 8-bit grayscale), but is {image.mode}. "
            "Save it with its palette, not as colours."
        )
    mask = np.array(image)
    return mask if image.mode == "L" else voc_indices(mask, image)


def voc_indices(mask: np.ndarray, image: Image.Image) -> np.ndarray:
    """Return a paletted mask with the indices that its colours have in VOC's palette.

    The whole palette decides, not the colours of one picture: those of a data set with colours of its own keep their
    indices, also where a picture happens to show none but VOC's.
    """
    palette = np.asarray(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    known = {tuple(colour): index for index, colour in enumerate(np.reshape(voc_palette(), (-1, 3)).tolist())}
    found = [known.get(tuple(colour)) for colour in palette.tolist()]
    if not found or None in found or mask.max(initial=0) >= len(found):
        return mask
    return np.array(found, np.uint8)[mask]


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
        with Path(path).open("rb") as file, open_picture(file) as image:
            check_size(f"Mask {path}", image.size)
            image.load()
            return image
    except DataError:
        raise
    except Exception as error:  # Pillow's plugins raise anything from OSError to struct.error
        raise DataError(f"Mask {path} cannot be read: {error}. Replace the file or leave it out.") from error


def voc_palette() -> list[int]:
    """Return the 256 colours of VOC's masks as 768 numbers: the bits of an index, dealt to red, green and blue.

    Bit 3j of the index is bit 7 - j of red, bit 3j + 1 that of green, bit 3j + 2 that of blue.

    >>> colours = voc_palette()
    >>> colours[3:6], colours[45:48], colours[765:]
    ([128, 0, 0], [192, 128, 128], [224, 224, 192])
    """
    places = [(index, channel) for index in range(256) for channel in range(3)]
    return [sum((index >> (3 * j + channel) & 1) << (7 - j) for j in range(3)) for index, channel in places]


def write_index_mask(path: str | Path, mask: np.ndarray) -> None:
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
        with Path(path).open("rb") as file, open_picture(file) as picture:
            check_size(f"{what} {path}", picture.size)
            picture.load()
    except DataError:
        raise
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
