"""Paints single things on patches of their own, and lays them onto a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wsolkit_scenes.textures import between, lambert, mottle, rgb, soft_ellipse

__all__ = ["STYLES", "Sprite", "fill", "lay_shadow", "lay_sprite", "paint_solid"]

STYLES = ("plain", "stripes", "spots")
"""The patterns of coats and stones."""


@dataclass
class Sprite:
    """Something painted, to be laid onto a picture with its upper left corner at (x, y).

    Attributes:
        x: column of the corner.
        y: row of the corner.
        colour: (h, w, 3) float32, 0..255.
        alpha: (h, w) float32 in [0, 1].
        crest: (h, w) bool, the class-telling part.
    """

    x: int
    y: int
    colour: np.ndarray
    alpha: np.ndarray
    crest: np.ndarray


def fill(picture: np.ndarray, polygons: list[np.ndarray], colour: tuple[float, ...], even_odd: bool = False) -> None:
    """Fill polygons with soft edges; overlapping ones are united, or with ``even_odd`` cut holes into each other."""
    fixed = [np.round((polygon - 0.5) * 16).astype(np.int32) for polygon in polygons]
    for group in [fixed] if even_odd else [[polygon] for polygon in fixed]:
        cv2.fillPoly(picture, group, colour, lineType=cv2.LINE_AA, shift=4)


def cut_patch(rng: np.random.Generator, sheet: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a (height, width) piece of a noise sheet from a random place, mirrored where the sheet is too small."""
    down, right = max(height - sheet.shape[0], 0), max(width - sheet.shape[1], 0)
    if down or right:
        sheet = cv2.copyMakeBorder(sheet, 0, down, 0, right, cv2.BORDER_REFLECT_101)
    y = int(rng.integers(sheet.shape[0] - height + 1))
    x = int(rng.integers(sheet.shape[1] - width + 1))
    return sheet[y : y + height, x : x + width]


def paint_solid(
    rng: np.random.Generator, silhouette: np.ndarray, colours: np.ndarray, sheet: np.ndarray, light: float, style: str
) -> np.ndarray:
    """Return the textured, shaded colours of a rounded thing.

    Args:
        rng: where the numbers come from.
        silhouette: (h, w) uint8.
        colours: (2, 3), the two colours of its pattern.
        sheet: noise in [-1, 1] to cut the texture from.
        light: -1 left to 1 right.
        style: see ``mottle``.

    Returns:
        (h, w, 3) float32, 0..255.
    """
    height, width = silhouette.shape
    patch = cut_patch(rng, sheet, width, height)
    pattern = mottle(patch, style, scale=rng.uniform(0.04, 0.09) * width + 1.5, angle=rng.uniform(-0.5, 0.5))
    brightness = lambert(silhouette, light) * (1 + 0.5 * patch)
    return between(0.5 + 0.5 * pattern, *colours.astype(np.float32)) * rgb(brightness)


def lay_shadow(picture: np.ndarray, sprite: Sprite, light: float) -> None:
    """Darken the ground under a sprite, away from the light."""
    rows, columns = sprite.alpha.shape
    wide, high = int(1.1 * columns) + 2, int(0.16 * columns) + 3
    x = int(sprite.x + columns / 2 - wide / 2 - 0.12 * light * columns)
    y = sprite.y + rows - 3 - high // 2
    target, source = shared_part(picture, x, y, wide, high)
    picture[target] *= rgb(1 - 0.55 * soft_ellipse(wide, high)[source])


def shared_part(picture: np.ndarray, x: int, y: int, wide: int, high: int) -> tuple[tuple, tuple]:
    """Return the slices of the picture, and of a patch laid onto it at (x, y), that cover each other.

    >>> shared_part(np.zeros((5, 5)), x=-1, y=3, wide=3, high=4)
    ((slice(3, 5, None), slice(0, 2, None)), (slice(0, 2, None), slice(1, 3, None)))
    """
    rows, columns = picture.shape[:2]
    top, left = max(y, 0), max(x, 0)
    bottom, right = max(min(y + high, rows), top), max(min(x + wide, columns), left)
    return (slice(top, bottom), slice(left, right)), (slice(top - y, bottom - y), slice(left - x, right - x))


def lay_sprite(picture: np.ndarray, instances: np.ndarray, crests: np.ndarray, sprite: Sprite, number: int) -> None:
    """Lay a sprite onto the picture and note whose pixels they are now; more than half covered counts."""
    rows, columns = sprite.alpha.shape
    target, source = shared_part(picture, sprite.x, sprite.y, columns, rows)
    alpha = sprite.alpha[source]
    picture[target] += (sprite.colour[source] - picture[target]) * rgb(alpha)
    solid = alpha >= 0.5
    instances[target][solid] = number
    crests[target][solid] = sprite.crest[source][solid]
