"""Images in any form, as batches for the network: paths, arrays, tensors and PIL images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms import v2

from wsolkit.datasets.decode import read_shrunk, rgb
from wsolkit.datasets.image_files import find_images
from wsolkit.datasets.loading import ImageBatch, side_by_side
from wsolkit.datasets.reading import prepare_image, reduced
from wsolkit.errors import DataError

__all__ = ["batches_of", "pixels_of"]


def pixels_of(image: Any, name: str = "the image") -> Tensor:
    """Return an image as (3, h, w) uint8, RGB, upright.

    Args:
        image: a PIL image (turned upright by its EXIF orientation), an (h, w, 3) or (h, w) uint8 array, or a
            (3, h, w) uint8 tensor.
        name: what to call it in messages.

    Raises:
        DataError: the image is of another kind, or holds floating-point pixels.

    >>> pixels_of(np.zeros((4, 6, 3), np.uint8)).shape
    torch.Size([3, 4, 6])
    """
    if isinstance(image, Image.Image):
        try:
            return torch.from_numpy(rgb(ImageOps.exif_transpose(image))).permute(2, 0, 1)
        except ValueError as error:
            raise DataError(f"{name.capitalize()} cannot be taken: {error}.") from error
    if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.size:
        if image.ndim == 2:
            image = np.repeat(image[..., None], 3, axis=2)
        if image.ndim == 3 and image.shape[2] == 3:
            return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
    if isinstance(image, Tensor) and image.dtype == torch.uint8 and image.ndim == 3 and image.shape[0] == 3:
        return image
    what = f"{type(image).__name__}"
    if isinstance(image, (np.ndarray, Tensor)):
        what += f" of shape {tuple(image.shape)} and type {image.dtype}"
    raise DataError(
        "An image is a path, a PIL image, an (h, w, 3) uint8 array in RGB or a (3, h, w) uint8 tensor, but "
        f"{name} is a {what}. Convert it first."
    )


def named_images(images: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield (image_id, path, image) of one image or several; a folder, list or pattern stands for its images."""
    if isinstance(images, (str, Path)):
        for found in find_images([images]):
            yield found.image_id, found.path, found.path
        return
    single = isinstance(images, (Image.Image, np.ndarray)) or (isinstance(images, Tensor) and images.ndim == 3)
    items: Iterable[Any] = [images] if single and getattr(images, "ndim", 3) < 4 else images
    for number, image in enumerate(items):
        if isinstance(image, (str, Path)):
            yield os.fspath(image), str(Path(image).absolute()), image
        else:
            yield f"image {number}", "", image


def load(
    image: Any, name: str, transform: v2.Transform, size: tuple[int, int], photo_side: int | None = None
) -> tuple[Tensor, tuple[int, int], list[np.ndarray]]:
    """Return an image as network input of a size, its own (width, height), and the photograph where a side is given."""
    if isinstance(image, (str, Path)):
        pixels, whole = read_shrunk(image, size)
    else:
        pixels = pixels_of(image, name)
        whole = (pixels.shape[-1], pixels.shape[-2])
    photos = [] if photo_side is None else [reduced(pixels, photo_side)]
    return prepare_image(pixels, transform).contiguous(), whole, photos


def batches_of(
    images: Any, transform: v2.Transform, size: tuple[int, int], batch_size: int, photo_side: int | None = None
) -> Iterator[ImageBatch]:
    """Yield batches of ``batch_size`` images, read one batch at a time; the pipeline brings them to ``size`` (H, W).

    With ``photo_side`` they hold the photographs too, reduced to this longest side.

    Raises:
        DataError: an image cannot be read, or is of another kind.
    """
    waiting = named_images(images)
    while chunk := list(islice(waiting, batch_size)):
        loaded = side_by_side(lambda named: load(named[2], named[0], transform, size, photo_side), chunk)
        yield ImageBatch(
            inputs=torch.stack([inputs for inputs, _, _ in loaded]),
            image_ids=[name for name, _, _ in chunk],
            paths=[path for _, path, _ in chunk],
            sizes=[whole for _, whole, _ in loaded],
            failures=[],
            photos=[photo for _, _, photos in loaded for photo in photos],
        )
