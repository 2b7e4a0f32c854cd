"""Contact sheets: a row of pictures for each of a few images, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from wsolkit import whole_file
from wsolkit.formats import voc_palette

__all__ = ["colour_mask", "evenly", "write_sheet"]

HEIGHT = 150
GAP = 4
TITLE = 18
PAPER = (24, 24, 27)
INK = (235, 235, 235)


def evenly(count: int, wanted: int) -> list[int]:
    """Return up to ``wanted`` of the numbers below ``count``, spread over them.

    >>> evenly(10, 4), evenly(2, 4)
    ([0, 3, 6, 9], [0, 1])
    """
    if wanted < 1 or count < 1:
        return []
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, wanted))})


def colour_mask(mask: np.ndarray, image: np.ndarray | None = None, strength: float = 0.65) -> np.ndarray:
    """Return a class mask (H, W) in VOC's colours, over its image where one is given.

    Args:
        mask: (H, W) uint8, 0 background, k + 1 class k.
        image: (H, W, 3) uint8, RGB; it shows through, and the background stays as it is.
        strength: how opaque the colours are.

    Returns:
        (H, W, 3) uint8.
    """
    colours = np.array(voc_palette(), np.uint8).reshape(256, 3)[mask]
    if image is None:
        return colours
    mixed = np.round(image * (1 - strength) + colours * strength).astype(np.uint8)
    return np.where(mask[..., None] > 0, mixed, image)


def write_sheet(path: str | Path, titles: Sequence[str], rows: Sequence[Sequence[np.ndarray]]) -> None:
    """Write a contact sheet as a JPEG file: a row for each image, a titled column for each kind of picture.

    Args:
        path: the file.
        titles: a title for each column.
        rows: the pictures, each (h, w, 3) or (h, w) uint8; all of a row show the same image.
    """
    shrunk = [[at_height(picture) for picture in row] for row in rows]
    widths = [max((row[column].width for row in shrunk), default=HEIGHT) for column in range(len(titles))]
    sheet = Image.new(
        "RGB", (sum(widths) + GAP * (len(titles) + 1), TITLE + (HEIGHT + GAP) * len(rows) + GAP), color=PAPER
    )
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        left = GAP + sum(widths[:column]) + GAP * column
        pen.text((left, 3), title, fill=INK)
        for number, row in enumerate(shrunk):
            sheet.paste(row[column], (left, TITLE + number * (HEIGHT + GAP)))
    with whole_file(path) as temporary:
        sheet.save(temporary, format="JPEG", quality=88)


def at_height(picture: np.ndarray) -> Image.Image:
    """Return a picture in RGB at the height of a row."""
    found = Image.fromarray(np.ascontiguousarray(picture)).convert("RGB")
    return found.resize((max(1, round(found.width * HEIGHT / found.height)), HEIGHT))
