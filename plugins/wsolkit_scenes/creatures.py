"""Draws creatures seen from the side: a large body that says nothing of the class, and a small crest that tells it.

In a pose x runs to the right, y down, and the body's long half axis is 1 until the pose is scaled to pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from wsolkit_scenes.sprites import STYLES, Sprite, fill, paint_solid
from wsolkit_scenes.textures import between, lambert, rgb

__all__ = ["CLASS_NAMES", "COATS", "Pose", "bounds", "circle", "draw_pose", "paint_creature"]

CREST_SHAPES = ("ring", "star", "cross", "fan")
CREST_COLOURS = {"red": (222, 38, 44), "blue": (36, 78, 232), "yellow": (248, 208, 34)}

CLASS_NAMES = tuple(
    f"{CREST_SHAPES[number % len(CREST_SHAPES)]}-{list(CREST_COLOURS)[number % len(CREST_COLOURS)]}"
    for number in range(len(CREST_SHAPES) * len(CREST_COLOURS))
)
"""Names of all classes; neighbours differ in shape and in colour."""

COATS = np.array(
    [
        (126, 98, 70), (158, 128, 92), (92, 76, 62), (112, 116, 120), (150, 146, 138), (74, 84, 92),
        (108, 112, 72), (84, 102, 78), (176, 146, 110), (140, 92, 68), (98, 106, 124), (190, 178, 158),
    ],
    dtype=np.float32,
)  # fmt: skip
"""Colours of coats, (red, green, blue)."""

EDGE = 2  # pixels around a sprite, room for the soft edge


@dataclass
class Pose:
    """The outlines of one creature.

    Attributes:
        label: the class.
        body: polygons (n, 2) by name.
        crest: polygons (n, 2) of the class-telling part, filled even-odd.
    """

    label: int
    body: dict[str, list[np.ndarray]]
    crest: list[np.ndarray]

    def box(self) -> np.ndarray:
        """Return x0 y0 x1 y1 of everything."""
        return bounds([polygon for polygons in self.body.values() for polygon in polygons] + self.crest)

    def placed(self, scale: float, shift: np.ndarray) -> Pose:
        """Return the pose scaled about the origin, then shifted by (x, y)."""
        body = {name: [polygon * scale + shift for polygon in polygons] for name, polygons in self.body.items()}
        return Pose(self.label, body, [polygon * scale + shift for polygon in self.crest])


def bounds(polygons: list[np.ndarray]) -> np.ndarray:
    """Return x0 y0 x1 y1 of polygons.

    >>> bounds([np.array([[0.0, 2.0], [3.0, 1.0]])]).tolist()
    [0.0, 1.0, 3.0, 2.0]
    """
    points = np.concatenate(polygons)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


@cache
def circle(points: int) -> np.ndarray:
    """Return a circle of radius 1 as a polygon (points, 2)."""
    angle = np.arange(points) * (2 * np.pi / points)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def ellipse(centre: np.ndarray, across: float, down: float, points: int = 24) -> np.ndarray:
    """Return an ellipse as a polygon (points, 2)."""
    return centre + np.array([across, down]) * circle(points)


def band(start: np.ndarray, end: np.ndarray, thick: float, thin: float) -> np.ndarray:
    """Return a strip from one point to another, ``thick`` wide at the start and ``thin`` at the end."""
    along = (end - start) / np.linalg.norm(end - start)
    side = np.array([-along[1], along[0]])
    return np.array([start + side * thick / 2, end + side * thin / 2, end - side * thin / 2, start - side * thick / 2])


def turned(polygon: np.ndarray, angle: float) -> np.ndarray:
    """Return a polygon turned about the origin by an angle in radians, clockwise on the screen."""
    cos, sin = np.cos(angle), np.sin(angle)
    return polygon @ np.array([[cos, sin], [-sin, cos]])


def crest_outline(shape: str) -> list[np.ndarray]:
    """Return the contours of a crest about the origin, about 1 in radius, pointing up.

    >>> [len(crest_outline(shape)) for shape in CREST_SHAPES]
    [2, 1, 1, 1]
    """
    if shape == "ring":
        return [1.05 * circle(24), 0.5 * circle(24)]
    if shape == "star":
        angle = np.arange(10) * np.pi / 5
        radius = np.where(np.arange(10) % 2 == 0, 1.25, 0.55)
        return [np.stack([radius * np.sin(angle), -radius * np.cos(angle)], axis=1)]
    if shape == "cross":
        arm, half = 1.1, 0.38
        quarter = np.array([(half, -arm), (half, -half), (arm, -half)])
        return [np.concatenate([turned(quarter, turn * np.pi / 2) for turn in range(4)])]
    angle = np.linspace(-0.62 * np.pi, 0.62 * np.pi, 25)
    radius = 1.35 + 0.2 * np.cos(angle * 8)
    return [
        np.concatenate([[(0, 0.6)], np.stack([radius * np.sin(angle) * 0.9, 0.6 - radius * np.cos(angle)], axis=1)])
    ]


def draw_torso(rng: np.random.Generator, pitch: float) -> tuple[dict[str, list[np.ndarray]], np.ndarray, float]:
    """Draw everything but the legs and the crest.

    Returns:
        Polygons by name, the head's centre, and the body's short half axis.
    """
    plump = rng.uniform(0.4, 0.6)
    trunk = np.array([1, plump]) * circle(32)
    angle = np.arctan2(trunk[:, 1], trunk[:, 0])
    wobble = sum(rng.normal(0, 0.03) * np.cos(wave * angle + rng.uniform(0, 6.3)) for wave in (2, 3, 4))
    trunk = trunk * (1 + np.asarray(wobble))[:, None]
    trunk[:, 1] *= 1 + rng.uniform(-0.2, 0.2) * trunk[:, 0]

    rise, reach = np.deg2rad(rng.uniform(15, 85)), rng.uniform(0.3, 0.85)
    shoulder = np.array([0.65, -0.1])
    head = shoulder + np.array([0.15, -0.1]) + reach * np.array([np.cos(rise), -np.sin(rise)])
    neck = band(shoulder, head, rng.uniform(0.5, 0.75), rng.uniform(0.25, 0.4))
    skull = ellipse(head, rng.uniform(0.24, 0.32), rng.uniform(0.22, 0.27))

    hang, length = np.deg2rad(rng.uniform(-35, 45)), rng.uniform(0.35, 0.9)
    rump = np.array([-0.8, -0.05])
    tip = rump + length * np.array([-np.cos(hang), -np.sin(hang)])
    tail = band(rump, tip, rng.uniform(0.2, 0.4), rng.choice([0.06, 0.5]))
    wing = ellipse(np.array([-0.1, -0.06]), 0.62, 0.5 * plump)
    wing[:, 1] += np.where(wing[:, 0] < -0.1, (wing[:, 0] + 0.1) * rng.uniform(-0.3, 0.1), 0)

    mouth = head + np.array([0.2, 0.04])
    beak = band(mouth, mouth + np.array([rng.uniform(0.2, 0.42), rng.uniform(0, 0.12)]), rng.uniform(0.14, 0.24), 0.03)
    polygons = {
        "torso": [trunk, neck, skull, tail],
        "beak": [beak],
        "eye": [ellipse(head + np.array([0.1, -0.05]), 0.06, 0.06)],
    }
    if rng.random() < 0.6:
        polygons["wing"] = [wing]
    polygons = {name: [turned(polygon, pitch) for polygon in found] for name, found in polygons.items()}
    return polygons, turned(head[None], pitch)[0], plump


def draw_legs(rng: np.random.Generator, plump: float) -> dict[str, list[np.ndarray]]:
    """Draw two or four legs with feet on one line."""
    ground = plump + rng.uniform(0.25, 0.75)
    thick = rng.uniform(0.1, 0.17)
    hips = [-0.1, 0.15] if rng.random() < 0.5 else [-0.55, -0.35, 0.3, 0.52]
    legs = []
    for number, hip in enumerate(hips):
        foot = np.array([hip + rng.uniform(-0.15, 0.15), ground - (0.07 if number % 2 == 0 else 0)])
        toe = np.array([[-0.05, -0.08], [0.2, 0.0], [-0.05, 0.0]]) + foot
        legs.append([band(np.array([hip, 0.5 * plump]), foot, 1.8 * thick, thick), toe])
    far = [polygon for pair in legs[0::2] for polygon in pair]
    return {"far legs": far, "near legs": [polygon for pair in legs[1::2] for polygon in pair]}


def draw_pose(rng: np.random.Generator, label: int) -> Pose:
    """Draw a creature of a class; all but the crest's shape is independent of the class.

    >>> pose = draw_pose(np.random.default_rng(0), label=1)
    >>> x0, y0, x1, y1 = pose.box()
    >>> bool(x1 - x0 > 2)
    True
    """
    pitch = rng.uniform(-0.3, 0.2)
    torso, head, plump = draw_torso(rng, pitch)
    lean, radius = np.deg2rad(rng.uniform(-50, 15)), rng.uniform(0.3, 0.36)
    centre = head + (0.2 + 0.95 * radius) * np.array([np.sin(lean), -np.cos(lean)])
    outline = crest_outline(CREST_SHAPES[label % len(CREST_SHAPES)])
    crest = [turned(polygon * radius, lean + rng.normal(0, 0.1)) + centre for polygon in outline]
    body = draw_legs(rng, plump) | torso | {"stalk": [band(head, centre + 0.5 * (head - centre), 0.16, 0.12)]}
    mirror = np.array([rng.choice([-1.0, 1.0]), 1.0])
    body = {name: [polygon * mirror for polygon in polygons] for name, polygons in body.items()}
    return Pose(label, body, [polygon * mirror for polygon in crest])


def paint_creature(rng: np.random.Generator, pose: Pose, sheet: np.ndarray, light: float) -> Sprite:
    """Paint a creature whose pose is given in pixels of the picture.

    Args:
        rng: where coat, pattern and brightness come from.
        pose: outlines in pixels; its class decides the crest's colour and nothing else.
        sheet: noise in [-1, 1] to cut the texture from.
        light: where the light comes from, -1 left to 1 right.

    Returns:
        The sprite, at its place in the picture.
    """
    x0, y0, x1, y1 = pose.box()
    x, y = int(np.floor(x0)) - EDGE, int(np.floor(y0)) - EDGE
    width, height = int(np.ceil(x1)) + EDGE - x, int(np.ceil(y1)) + EDGE - y
    local = pose.placed(1.0, np.array([-x, -y]))
    body, crest = local.body, local.crest
    pair = COATS[rng.choice(len(COATS), 2, replace=False)] * rng.uniform(0.75, 1.25)
    style = STYLES[rng.integers(len(STYLES))]

    torso = np.zeros((height, width), dtype=np.uint8)
    fill(torso, body["torso"], (255,))
    coat = paint_solid(rng, torso, pair, sheet, light, style)
    legs = pair.mean(axis=0) * 0.6
    canvas = np.empty((height, width, 3), dtype=np.uint8)
    canvas[:] = legs.astype(np.uint8)
    fill(canvas, body["far legs"], tuple((legs * 0.7).tolist()))
    fill(canvas, body["near legs"], tuple(legs.tolist()))
    if "wing" in body:
        wing = np.zeros((height, width), dtype=np.uint8)
        fill(wing, body["wing"], (255,))
        coat *= rgb(1 - wing * np.float32(0.35 / 255) * lambert(wing, light))
    cover = rgb(torso * np.float32(1 / 255))
    canvas = np.clip(canvas + (coat - canvas) * cover, 0, 255).astype(np.uint8)
    fill(canvas, body["beak"], (72, 62, 50))
    fill(canvas, body["eye"], (16, 14, 12))
    fill(canvas, body["stalk"], tuple((legs * 0.7).tolist()))

    silhouette = torso
    for name in ("far legs", "near legs", "beak", "stalk"):
        fill(silhouette, body[name], (255,))
    plume = np.zeros((height, width), dtype=np.uint8)
    fill(plume, crest, (255,), even_odd=True)
    colour = canvas + (crest_colours(rng, plume, pose.label, light) - canvas) * rgb(plume * np.float32(1 / 255))
    alpha = np.maximum(silhouette, plume) * np.float32(1 / 255)
    return Sprite(x, y, colour, alpha, plume > 127)


def crest_colours(rng: np.random.Generator, plume: np.ndarray, label: int, light: float) -> np.ndarray:
    """Return the crest's colours, (h, w, 3) float32: its class's colour, shaded, with a dark rim."""
    hue = np.asarray(list(CREST_COLOURS.values())[label % len(CREST_COLOURS)], np.float32)
    rim = cv2.GaussianBlur(plume, (5, 5), 0.9) * np.float32(1 / 255)
    shade = lambert(plume, light, 0.5) * np.clip(1.7 * rim - 0.35, 0.3, 1)
    return between(shade, (0, 0, 0), hue * rng.uniform(0.9, 1.1))
