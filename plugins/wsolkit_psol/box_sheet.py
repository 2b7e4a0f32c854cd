"""A contact sheet of pseudo boxes: each image with its box beside its score map, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from wsolkit import whole_file

__all__ = ["Picture", "evenly", "write_sheet"]

HEIGHT, COLUMNS, GAP, TITLE = 140, 4, 6, 14
PAPER, INK, LINE = (24, 24, 27), (235, 235, 235), (255, 60, 60)


@dataclass(frozen=True)
class Picture:
    """One cell of the sheet.

    Attributes:
        title: what stands above it.
        image: (H, W, 3) uint8, RGB.
        box: (4,) x0 y0 x1 y1 in pixels of the image.
        score_map: (h, w) in [0, 1].
    """

    title: str
    image: np.ndarray
    box: np.ndarray
    score_map: np.ndarray


def evenly(count: int, wanted: int) -> list[int]:
    """Return up to ``wanted`` of the numbers below ``count``, spread over them.

    >>> evenly(10, 4), evenly(2, 4), evenly(3, 0)
    ([0, 3, 6, 9], [0, 1], [])
    """
    if wanted < 1 or count < 1:
        return []
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, wanted)).tolist()})


def cell(picture: Picture) -> Image.Image:
    """Return an image with its box, and its map to the right, at the height of a row."""
    height, width = picture.image.shape[:2]
    wide = max(1, min(round(width * HEIGHT / height), 2 * HEIGHT))
    found = Image.new("RGB", (2 * wide + 2, HEIGHT + TITLE), PAPER)
    found.paste(Image.fromarray(np.ascontiguousarray(picture.image)).resize((wide, HEIGHT)), (0, TITLE))
    grey = Image.fromarray(np.round(255 * np.asarray(picture.score_map, np.float32).clip(0, 1)).astype(np.uint8))
    found.paste(grey.resize((wide, HEIGHT)).convert("RGB"), (wide + 2, TITLE))
    pen = ImageDraw.Draw(found)
    pen.text((0, 0), picture.title[-2 * wide // 7 :], fill=INK)
    x0, y0, x1, y1 = (picture.box * np.array([wide / width, HEIGHT / height] * 2)).tolist()
    for left in (0, wide + 2):
        pen.rectangle((left + x0, TITLE + y0, left + max(x1 - 1, x0), TITLE + max(y1 - 1, y0)), outline=LINE, width=2)
    return found


def write_sheet(path: str | Path, pictures: Sequence[Picture]) -> None:
    """Write pictures as one JPEG file, in rows; nothing for no pictures."""
    if not pictures:
        return
    cells = [cell(picture) for picture in pictures]
    rows = [cells[first : first + COLUMNS] for first in range(0, len(cells), COLUMNS)]
    width = max(sum(each.width + GAP for each in row) for row in rows) + GAP
    sheet = Image.new("RGB", (width, len(rows) * (HEIGHT + TITLE + GAP) + GAP), PAPER)
    for number, row in enumerate(rows):
        left = GAP
        for each in row:
            sheet.paste(each, (left, GAP + number * (HEIGHT + TITLE + GAP)))
            left += each.width + GAP
    with whole_file(path) as temporary:
        sheet.save(temporary, format="JPEG", quality=88)
