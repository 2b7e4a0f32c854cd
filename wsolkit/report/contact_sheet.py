"""A contact sheet: captioned pictures of one height in columns, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from wsolkit.files import whole_file
from wsolkit.report.drawing import encode_jpeg, font

__all__ = ["contact_sheet", "evenly", "write_contact_sheet"]

HEIGHT = 150
"""Height of the pictures, in pixels; they are at most four times as wide."""

GAP, CAPTION, TEXT = 4, 18, 11
PAPER, INK = (24, 24, 27), (235, 235, 235)


def evenly(count: int, wanted: int) -> list[int]:
    """Return up to ``wanted`` of the numbers below ``count``, spread over them.

    >>> evenly(10, 4), evenly(2, 4), evenly(3, 0)
    ([0, 3, 6, 9], [0, 1], [])
    """
    if wanted < 1 or count < 1:
        return []
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, wanted)).tolist()})


def contact_sheet(pictures: Sequence[tuple[str, np.ndarray]], columns: int) -> np.ndarray:
    """Return pictures row by row, each below its caption, of which the end is shown where it is too long.

    Args:
        pictures: captions and pictures, (h, w, 3) RGB or (h, w) grey, uint8 of any size; at least one.
        columns: pictures in a row.

    Returns:
        (H, W, 3) uint8.

    >>> contact_sheet([("cat", np.zeros((2, 3), np.uint8)), ("dog", np.zeros((4, 4, 3), np.uint8))], columns=2).shape
    (176, 387, 3)
    """
    shown = [at_height(picture) for _, picture in pictures]
    widths = [max(each.width for each in shown[column::columns]) for column in range(min(columns, len(shown)))]
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (sum(widths) + GAP * (len(widths) + 1), rows * (CAPTION + HEIGHT + GAP) + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, (each, (caption, _)) in enumerate(zip(shown, pictures, strict=True)):
        row, column = divmod(number, columns)
        left, top = GAP + sum(widths[:column]) + GAP * column, GAP + row * (CAPTION + HEIGHT + GAP)
        pen.text((left, top), end_of(caption, widths[column]), font=font(TEXT), fill=INK)
        sheet.paste(each, (left, top + CAPTION))
    return np.asarray(sheet)


def write_contact_sheet(path: str | Path, pictures: Sequence[tuple[str, np.ndarray]], columns: int) -> None:
    """Write ``contact_sheet`` as a JPEG file; nothing where there is no picture."""
    if pictures:
        with whole_file(path) as temporary:
            temporary.write_bytes(encode_jpeg(contact_sheet(pictures, columns), quality=88))


def at_height(picture: np.ndarray) -> Image.Image:
    """Return a picture in RGB, ``HEIGHT`` pixels high."""
    found = Image.fromarray(np.ascontiguousarray(picture)).convert("RGB")
    return found.resize((min(max(1, round(found.width * HEIGHT / found.height)), 4 * HEIGHT), HEIGHT))


def end_of(text: str, width: int) -> str:
    """Return as much of the end of a text as fits into ``width`` pixels."""
    letters = font(TEXT)
    while text and letters.getlength(text) > width:
        text = text[1:]
    return text
