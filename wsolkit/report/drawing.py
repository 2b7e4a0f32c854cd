"""Draws pictures: the photo beside the photo with its score map, on both the boxes and masks, and their classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wsolkit.formats.found_boxes import FoundBox

__all__ = ["colours_of", "draw_boxes", "encode_jpeg", "font", "heat_overlay", "resize_to_panel", "side_by_side"]

Colour = tuple[int, int, int]

PANEL = 400
"""Longest side of the photo in a picture, in pixels."""

GAP = 6
TEXT = 25
LINE = 33
TINT = 0.3
"""How much of a class's colour lies on the inside of a mask."""

PAPER, GREY = (24, 24, 27), (190, 190, 190)
COLOURS = ((255, 255, 255), (255, 214, 10), (100, 210, 255), (255, 159, 243), (160, 255, 120))
"""Box colours in RGB; the likeliest class is white."""


def resize_to_panel(image: np.ndarray, panel: int = PANEL) -> np.ndarray:
    """Return the image (h, w, 3) with its longest side ``panel`` pixels long.

    >>> resize_to_panel(np.zeros((50, 100, 3), np.uint8), panel=40).shape
    (20, 40, 3)
    """
    height, width = image.shape[:2]
    scale = panel / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def heat_overlay(image: np.ndarray, score_map: np.ndarray, strength: float = 0.62) -> np.ndarray:
    """Lay the heat of a score map over an image; where the score is low the photo stays visible.

    Args:
        image: (h, w, 3) uint8, RGB.
        score_map: (H, W) in [0, 1], of any size.
        strength: how opaque the heat is where the score is 1.

    Returns:
        (h, w, 3) uint8.
    """
    height, width = image.shape[:2]
    resized = cv2.resize(score_map.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1)
    levels = np.round(resized * 255).astype(np.uint8)
    heat = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    opacity = (strength * (0.3 + 0.7 * resized))[..., None]
    return np.round(image * (1 - opacity) + heat * opacity).astype(np.uint8)


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return DejaVu Sans, which has the letters of most alphabets, from matplotlib's data; else Pillow's own font.

    mmengine brings matplotlib along; it is looked up, not imported.
    """
    found = find_spec("matplotlib")
    for place in found.submodule_search_locations or () if found else ():
        path = Path(place) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return ImageFont.truetype(str(path), size)
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow 10.0 knows no sizes
        return ImageFont.load_default()


def label_of(found: FoundBox, width: float, letters: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return a box's class and score, the class cut off where both do not fit into ``width`` pixels.

    >>> label_of(FoundBox((0, 0, 1, 1), 0, "017.Cardinal", 0.934, 0.5), 1000, font(20))
    '017.Cardinal 0.93'
    """
    name, score = found.class_name, f" {found.score:.2f}"
    if letters.getlength(name + score) <= width:
        return name + score
    while name and letters.getlength(f"{name}...{score}") > width:
        name = name[:-1]
    return f"{name}...{score}"


def draw_boxes(image: np.ndarray, boxes: Sequence[FoundBox], scale: float, colours: Mapping[int, Colour]) -> np.ndarray:
    """Draw boxes, in pixels of the original image and the colours of their classes, on one ``scale`` times as large.

    The mask of a box is drawn below all boxes.
    """
    picture = Image.fromarray(draw_masks(image, boxes, colours))
    pen = ImageDraw.Draw(picture)
    for found in reversed(boxes):  # the likeliest is drawn last, on top
        x0, y0, x1, y1 = (round(side * scale) for side in found.box)
        for inset, width, colour in ((0, 6, (0, 0, 0)), (1, 4, colours[found.class_index])):
            corners = (x0 + inset, y0 + inset, max(x1 - 1 - inset, x0 + inset), max(y1 - 1 - inset, y0 + inset))
            pen.rectangle(corners, outline=colour, width=width)
    return np.asarray(picture)


def draw_masks(image: np.ndarray, boxes: Sequence[FoundBox], colours: Mapping[int, Colour]) -> np.ndarray:
    """Draw the masks of boxes on an image: a tint inside, a line around.

    Args:
        image: (h, w, 3) uint8, of any size.
        boxes: boxes, some of which may have a mask.
        colours: the colour of each class.

    Returns:
        (h, w, 3) uint8; the image itself where there is no mask.
    """
    height, width = image.shape[:2]
    for found in reversed(boxes):
        if found.mask is None:
            continue
        inside = cv2.resize(found.mask.inside().astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
        tint = np.array(colours[found.class_index], np.float32)
        image = np.where(inside[..., None] > 0, image * (1 - TINT) + TINT * tint, image).astype(np.uint8)
        outlines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        image = cv2.drawContours(np.ascontiguousarray(image), outlines, -1, (0, 0, 0), 3)
        image = cv2.drawContours(image, outlines, -1, colours[found.class_index], 1)
    return image


def colours_of(boxes: Sequence[FoundBox]) -> dict[int, Colour]:
    """Return a colour for each class, by index, in the order of the boxes."""
    classes = dict.fromkeys(found.class_index for found in boxes)
    return {index: COLOURS[min(number, len(COLOURS) - 1)] for number, index in enumerate(classes)}


def caption(width: int, lines: Sequence[tuple[str, Colour]]) -> np.ndarray:
    """Return a strip ``width`` pixels wide with lines of text, each in its colour."""
    letters = font(TEXT)
    strip = Image.new("RGB", (width, LINE * len(lines) + 4), PAPER)
    pen = ImageDraw.Draw(strip)
    for number, (text, colour) in enumerate(lines):
        pen.text((8, 2 + number * LINE), text, font=letters, fill=colour)
    return np.asarray(strip)


def side_by_side(
    image: np.ndarray, maps: Mapping[int, np.ndarray], boxes: Sequence[FoundBox], width: int | None = None
) -> np.ndarray:
    """Return the photo with all boxes and, beside and below it in two columns, each class's heat with its boxes.

    Under each map is the class with its score, in the colour of its boxes. Of more than five classes the likeliest are
    drawn.

    Args:
        image: (h, w, 3) uint8, RGB, upright.
        maps: (H, W) score map in [0, 1] of each class that is shown, by index, likeliest first; empty for the boxes
            alone.
        boxes: boxes in pixels of the original image, likeliest class first.
        width: that of the original where ``image`` was read smaller.

    Returns:
        (h', w', 3) uint8.
    """
    photo = resize_to_panel(image)
    scale = photo.shape[1] / (width or image.shape[1])
    colours = colours_of(boxes)
    classes = list(dict.fromkeys([*(index for index in maps), *colours]))[: len(COLOURS)]
    marked = [heat_overlay(photo, maps[index]) if index in maps else photo for index in classes] or [photo]
    first = draw_boxes(photo, boxes, scale, colours)
    if len(classes) < 2:
        drawn = draw_boxes(marked[0], boxes, scale, colours)
        panels = np.concatenate([first, vertical_gap(photo), drawn], axis=1)
        return np.concatenate([panels, caption(panels.shape[1], class_lines(boxes, classes, panels.shape[1], colours))])
    cells = [np.concatenate([first, caption(photo.shape[1], [("", GREY)])])]
    for index, heat in zip(classes, marked, strict=True):
        own = [found for found in boxes if found.class_index == index]
        lines = class_lines(own, [index], photo.shape[1], colours)
        cells.append(np.concatenate([draw_boxes(heat, own, scale, colours), caption(photo.shape[1], lines)]))
    if len(cells) % 2:
        cells.append(np.full_like(cells[0], PAPER))
    pairs = zip(cells[::2], cells[1::2], strict=True)
    rows = [np.concatenate([left, vertical_gap(left), right], axis=1) for left, right in pairs]
    more = len(set(colours) - set(classes))
    if more:
        rows.append(caption(rows[0].shape[1], [(f"and {more} more classes", GREY)]))
    return np.concatenate(rows)


def vertical_gap(panel: np.ndarray) -> np.ndarray:
    """Return the gap beside a panel."""
    return np.full((panel.shape[0], GAP, 3), PAPER, np.uint8)


def class_lines(
    boxes: Sequence[FoundBox], classes: Sequence[int], width: int, colours: Mapping[int, Colour]
) -> list[tuple[str, Colour]]:
    """Return the best box of each class in words that fit into ``width`` pixels, with its colour."""
    letters = font(TEXT)
    best = {found.class_index: found for found in reversed(boxes)}
    lines = [(label_of(best[index], width - 16, letters), colours[index]) for index in classes if index in best]
    return lines or [("no box", GREY)]


def encode_jpeg(picture: np.ndarray, quality: int = 87) -> bytes:
    """Return a picture (h, w, 3) uint8, RGB, as the bytes of a JPEG file."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"A picture of shape {picture.shape} cannot be encoded.")
    return data.tobytes()
