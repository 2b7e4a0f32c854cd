"""Paints backgrounds: a sky, something far away, and ground that recedes to a horizon."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wsolkit_scenes.textures import between, fractal_noise, ground_plane, rgb

__all__ = ["LANDSCAPES", "Landscape", "paint_landscape"]

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Landscape:
    """The look of one kind of background; colours are (red, green, blue) in 0..255.

    Attributes:
        sky: colour high up and at the horizon.
        far: colour of what stands on the horizon, and how high it rises (fraction of the picture's height).
        ground: colour at the horizon and in front.
        grain: size of the ground's coarsest pattern, as a fraction of the picture's width.
        contrast: strength of the ground's pattern.
        stretch: how flat the ground's pattern lies; large is water.
        blades: colours of grass blades, or none.
        stones: colours of the stones and bushes that lie about.
        trunks: number of tree trunks.
    """

    sky: tuple[Colour, Colour]
    far: tuple[Colour, float]
    ground: tuple[Colour, Colour]
    grain: float
    contrast: float
    stretch: float
    blades: tuple[Colour, ...] = ()
    stones: tuple[Colour, ...] = ()
    trunks: int = 0


LANDSCAPES: dict[str, Landscape] = {
    "meadow": Landscape(
        sky=((104, 158, 214), (206, 224, 232)),
        far=((78, 112, 84), 0.10),
        ground=((142, 164, 98), (74, 112, 48)),
        grain=0.25,
        contrast=0.35,
        stretch=2.0,
        blades=((58, 98, 36), (104, 142, 58), (142, 162, 76)),
        stones=((132, 124, 110), (70, 98, 48), (150, 128, 96)),
    ),
    "lake": Landscape(
        sky=((132, 172, 208), (226, 222, 206)),
        far=((86, 106, 112), 0.16),
        ground=((160, 186, 196), (52, 92, 112)),
        grain=0.35,
        contrast=0.35,
        stretch=7.0,
        stones=((96, 98, 96), (122, 112, 98), (88, 98, 66)),
    ),
    "beach": Landscape(
        sky=((92, 164, 218), (214, 232, 238)),
        far=((52, 112, 150), 0.0),
        ground=((214, 198, 160), (206, 176, 124)),
        grain=0.2,
        contrast=0.2,
        stretch=2.5,
        stones=((150, 132, 108), (112, 104, 98), (188, 168, 138)),
    ),
    "forest": Landscape(
        sky=((40, 62, 38), (86, 108, 64)),
        far=((48, 66, 38), 0.2),
        ground=((92, 86, 54), (98, 72, 44)),
        grain=0.12,
        contrast=0.5,
        stretch=1.7,
        blades=((66, 84, 38), (112, 90, 50)),
        stones=((86, 66, 46), (62, 84, 42), (104, 98, 84)),
        trunks=6,
    ),
    "snow": Landscape(
        sky=((146, 170, 196), (222, 226, 230)),
        far=((132, 148, 168), 0.24),
        ground=((224, 230, 238), (236, 240, 246)),
        grain=0.5,
        contrast=0.14,
        stretch=2.5,
        stones=((98, 98, 104), (84, 92, 80), (128, 122, 118)),
    ),
    "desert": Landscape(
        sky=((116, 160, 200), (238, 212, 172)),
        far=((190, 128, 84), 0.14),
        ground=((222, 172, 116), (196, 128, 74)),
        grain=0.4,
        contrast=0.22,
        stretch=4.0,
        stones=((150, 96, 64), (176, 132, 92), (108, 112, 66)),
    ),
}
"""The kinds of background by name."""


def ramp(first: Colour, last: Colour, width: int, rows: int, power: float = 1.0) -> np.ndarray:
    """Return colours that run from one to another downwards, (rows, width, 3) float32.

    >>> ramp((0, 0, 0), (100, 50, 0), width=2, rows=3)[1, 0].tolist()
    [50.0, 25.0, 0.0]
    """
    way = np.linspace(0, 1, rows, dtype=np.float32)[:, None] ** np.float32(power)
    return cv2.resize(between(way, first, last), (width, rows), interpolation=cv2.INTER_NEAREST)


def paint_sky(rng: np.random.Generator, scene: Landscape, width: int, rows: int) -> np.ndarray:
    """Return (rows, width, 3) float32: a gradient with clouds, or foliage where trees stand."""
    sky = ramp(*scene.sky, width, rows)
    if scene.trunks:
        leaves = fractal_noise(rng, width, rows, cell=width / 8, octaves=5, gain=0.9)
        return sky * rgb(1 + 1.3 * leaves)
    clouds = fractal_noise(rng, width // 2, rows, cell=width / 6, octaves=4)
    cover = np.clip(clouds * 2.2 - np.float32(rng.uniform(-0.3, 0.6)), 0, 0.85)
    sky += (250 - sky) * rgb(cv2.resize(cover, (width, rows)))
    return sky


def paint_far(rng: np.random.Generator, scene: Landscape, picture: np.ndarray, horizon: int) -> None:
    """Paint hills, mountains, a tree line or trunks onto the rows above the horizon."""
    height, width = picture.shape[:2]
    colour, rise = scene.far
    top = max(horizon - int(1.6 * rise * height), 0)
    view = picture[top:horizon]
    if rise:
        grain = 1 + 0.4 * fractal_noise(rng, width, len(view), cell=width / 10, octaves=3)
        rows = np.arange(top, horizon, dtype=np.float32)[:, None]
    for layer, haze in enumerate((0.5, 0.15) if rise else ()):
        crest = fractal_noise(rng, width, 1, cell=width / (2 + layer), octaves=5)
        cover = np.clip(rows - horizon + rise * height * (0.7 - 0.3 * layer + crest), 0, 1)
        hazy = np.asarray(colour) * (1 - haze) + np.asarray(scene.sky[1]) * haze
        view += (between(grain, (0, 0, 0), hazy) - view) * rgb(cover.astype(np.float32))
    for _ in range(scene.trunks):
        foot, x = horizon + rng.uniform(0, 0.06) * height, rng.uniform(0, width)
        thick, lean = rng.uniform(0.012, 0.035) * width, rng.uniform(-0.04, 0.04) * width
        outline = [(x - thick, foot), (x - thick / 2 + lean, -2), (x + thick / 2 + lean, -2), (x + thick, foot)]
        bark = np.array((82, 64, 46)) * rng.uniform(0.5, 1.2)
        points = np.round(np.array(outline) * 16).astype(np.int32)
        cv2.fillPoly(picture, [points], bark.tolist(), shift=4)


def paint_sea(rng: np.random.Generator, picture: np.ndarray, horizon: int, scene: Landscape) -> None:
    """Paint a strip of sea with surf below the horizon."""
    height, width = picture.shape[:2]
    rows = int(rng.uniform(0.06, 0.14) * height) + 2
    ripples = fractal_noise(rng, max(width // 6, 2), rows, cell=3, octaves=2)
    ripples = cv2.resize(ripples, (width, rows), interpolation=cv2.INTER_LINEAR)
    sea = ramp(scene.far[0], (96, 164, 176), width, rows) * rgb(1 + 0.3 * ripples)
    surf = 2 * fractal_noise(rng, width, 1, cell=width / 4, octaves=3)[0] + rows - 2
    index = np.arange(rows, dtype=np.float32)[:, None]
    strip = picture[horizon : horizon + rows]
    strip += (sea - strip) * rgb(np.clip(surf - index, 0, 1))
    strip += (245 - strip) * rgb(np.clip(1.2 - np.abs(index - surf), 0, 0.8))


def paint_blades(rng: np.random.Generator, scene: Landscape, picture: np.ndarray, horizon: int) -> None:
    """Paint grass blades on the ground, longer in front."""
    height, width = picture.shape[:2]
    count = int(0.6 * width)
    depth = np.sort(rng.random(count) ** 0.7)
    feet = horizon + depth * (height - horizon) + 1
    x = rng.uniform(0, width, count)
    length = (0.015 + 0.05 * depth) * height
    lean = rng.normal(0, 0.35, count) * length
    wide = 0.3 + 0.5 * depth
    blades = np.stack(
        [np.stack([x - wide, feet], 1), np.stack([x + lean, feet - length], 1), np.stack([x + wide, feet], 1)], 1
    )
    fixed = np.round(blades * 16).astype(np.int32)
    for start, colour in enumerate(scene.blades):
        cv2.fillPoly(picture, list(fixed[start :: len(scene.blades)]), colour, shift=4)


def paint_landscape(
    rng: np.random.Generator, kind: str, width: int, height: int, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """Paint a background.

    Args:
        rng: where the numbers come from.
        kind: a name in ``LANDSCAPES``.
        width: columns.
        height: rows.
        horizon: row at which the sky ends.

    Returns:
        The picture (height, width, 3) float32, about 0..255, and a (height, width) float32 noise sheet in [-1, 1]
        that the things in the scene cut their textures from.

    >>> picture, sheet = paint_landscape(np.random.default_rng(0), "meadow", 64, 48, horizon=20)
    >>> picture.shape, sheet.shape
    ((48, 64, 3), (48, 64))
    """
    scene = LANDSCAPES[kind]
    picture = np.empty((height, width, 3), dtype=np.float32)
    picture[:horizon] = paint_sky(rng, scene, width, horizon)
    paint_far(rng, scene, picture, horizon)
    sheet = fractal_noise(rng, width, height, cell=scene.grain * width, octaves=5, gain=0.75)
    pattern = ground_plane(sheet, width, height, horizon, scene.stretch)
    pattern *= np.linspace(0.5, 2, height - horizon, dtype=np.float32)[:, None] * scene.contrast
    ground = ramp(*scene.ground, width, height - horizon, 0.6)
    picture[horizon:] = ground * (1 + between(pattern, (0, 0, 0), (1.1, 1.0, 0.85)))
    if kind == "beach":
        paint_sea(rng, picture, horizon, scene)
    if scene.blades:
        paint_blades(rng, scene, picture, horizon)
    return picture, sheet
