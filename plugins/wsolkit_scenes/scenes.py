"""Generates pictures in which the problem of weakly supervised localization is really there.

Creatures stand in a landscape. Their large bodies, coats and poses say nothing of the class; a small crest on the head
does. Everything about a scene follows from its seed, split and number alone, in any order and in any process. Layout,
objects, background and clutter are drawn from streams of their own: another background or more clutter leaves the
objects where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wsolkit import ConfigError
from wsolkit_scenes.creatures import CLASS_NAMES, COATS, Pose, bounds, circle, draw_pose, paint_creature
from wsolkit_scenes.landscapes import LANDSCAPES, paint_landscape
from wsolkit_scenes.sprites import STYLES, Sprite, fill, lay_shadow, lay_sprite, paint_solid
from wsolkit_scenes.textures import between

__all__ = ["Scene", "SceneOptions", "object_labels", "render_scene"]

LABELS, LAYOUT, OBJECTS, BACKGROUND, CLUTTER = range(5)  # the random streams of a scene
SMALLEST_OBJECT = 12  # pixels; a crest of a smaller creature has no shape


Box = tuple[float, ...]


@dataclass(frozen=True)
class SceneOptions:
    """What scenes look like.

    Attributes:
        num_classes: how many of ``CLASS_NAMES`` occur.
        size: (width, height) in pixels.
        objects: fewest and most objects of a scene. (1, 1) deals the classes out evenly.
        object_size: smallest and largest longer side of an object, as a fraction of the picture's shorter side. Where
            several objects do not fit beside each other, they shrink until they do.
        clutter: in [0, 1]; how many stones and bushes in the colours of the bodies lie about, up to about 10.
        context: in [0, 1]; the probability that the background is the one tied to the class (of one of the objects).

    Raises:
        ConfigError: a value is out of range.
    """

    num_classes: int = 8
    size: tuple[int, int] = (128, 128)
    objects: tuple[int, int] = (1, 1)
    object_size: tuple[float, float] = (0.4, 0.8)
    clutter: float = 0.5
    context: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.num_classes <= len(CLASS_NAMES):
            raise ConfigError(f"num_classes should be 1 to {len(CLASS_NAMES)}, but got {self.num_classes}.")
        if not all(32 <= side <= 2048 for side in self.size):
            raise ConfigError(f"image_size should be 32 to 2048 pixels a side, but got {self.size}.")
        fewest, most = self.objects
        if not 1 <= fewest <= most <= 6:
            raise ConfigError(
                f"objects should be (fewest, most) with 1 <= fewest <= most <= 6, but got {self.objects}."
            )
        smallest, largest = self.object_size
        if not 0 < smallest <= largest <= 0.95:
            raise ConfigError(
                f"object_size should be (min, max) with 0 < min <= max <= 0.95, but got {self.object_size}."
            )
        if smallest * min(self.size) < SMALLEST_OBJECT:
            raise ConfigError(
                f"The smallest object would be {smallest * min(self.size):.1f} pixels, too few to tell its class: "
                f"choose an object_size or image_size that makes it at least {SMALLEST_OBJECT}."
            )
        for name in ("clutter", "context"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} should lie in [0, 1], but got {getattr(self, name)}.")


@dataclass
class Scene:
    """A picture and the truth about it; N objects, nearest last.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        labels: (N,) int64 classes.
        boxes: (N, 4) float32 around the visible pixels of each object, x0 y0 x1 y1, half open.
        part_boxes: (N, 4) float32 around the visible pixels of each class-telling crest.
        instances: (H, W) uint8, 0 background, n + 1 object n.
        mask: (H, W) uint8, 0 background, k + 1 class k.
        background: name of the landscape.
        clutter: number of stones and bushes.
    """

    image: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    part_boxes: np.ndarray
    instances: np.ndarray
    mask: np.ndarray
    background: str
    clutter: int


@dataclass(frozen=True)
class Setting:
    """Where the things of a scene stand.

    Attributes:
        size: (width, height) of the picture.
        kind: name of the landscape.
        horizon: row at which the sky ends.
        light: where the light comes from, -1 left to 1 right.
        sheet: noise in [-1, 1] that textures are cut from.
    """

    size: tuple[int, int]
    kind: str
    horizon: int
    light: float
    sheet: np.ndarray


def stream(seed: int, split: int, index: int, name: int) -> np.random.Generator:
    """Return the generator of one aspect of one scene."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, split, index, name])))


def object_labels(seed: int, split: int, index: int, options: SceneOptions) -> list[int]:
    """Return the class of every object of a scene without rendering it.

    Scenes of one object go through the classes in shuffled rounds, so that any stretch of them is balanced.

    >>> options = SceneOptions(num_classes=4)
    >>> sorted(label for index in range(8) for label in object_labels(0, 0, index, options))
    [0, 0, 1, 1, 2, 2, 3, 3]
    """
    fewest, most = options.objects
    if most == 1:
        turn, position = divmod(index, options.num_classes)
        return [int(stream(seed, split, turn, LABELS).permutation(options.num_classes)[position])]
    rng = stream(seed, split, index, LABELS)
    return rng.integers(options.num_classes, size=rng.integers(fewest, most + 1)).tolist()


def overlap(first: Box, second: Box) -> float:
    """Return the shared area of two boxes as a fraction of the smaller one.

    >>> overlap((0, 0, 4, 4), (2, 0, 4, 2))
    1.0
    """
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))


def place_boxes(
    rng: np.random.Generator, boxes: list[Box], crests: list[Box], options: SceneOptions, horizon: int
) -> list[tuple[float, float, float]]:
    """Find a scale and a shift (x, y) for each object, so that it stands on the ground and hardly hides another.

    Boxes share at most a tenth of the smaller one, and none touches another's crest. Where no place is found, all
    objects shrink.

    Args:
        rng: where the numbers come from.
        boxes: x0 y0 x1 y1 of each object, in any unit.
        crests: the same of its crest.
        options: gives the sizes.
        horizon: row of the horizon.
    """
    width, height = options.size
    sides = rng.uniform(*options.object_size, len(boxes)) * min(width, height)
    shrink = 1.0
    while True:
        found: list[tuple[float, float, float]] = []
        placed: list[tuple[Box, Box]] = []
        for box, crest, side in zip(boxes, crests, sides.tolist(), strict=True):
            scale = shrink * side / max(box[2] - box[0], box[3] - box[1])
            wide, high = (box[2] - box[0]) * scale, (box[3] - box[1]) * scale
            lowest = min(max(high, horizon + 0.04 * height), height)  # of the rows the feet may stand on
            for across, down in rng.random((12, 2)).tolist():
                dx, dy = across * (width - wide) - box[0] * scale, lowest + down * (height - lowest) - box[3] * scale
                here, top = (tuple(v * scale + d for v, d in zip(b, (dx, dy) * 2, strict=True)) for b in (box, crest))
                if all(overlap(here, b) <= 0.1 and overlap(top, b) == 0 == overlap(here, c) for b, c in placed):
                    found.append((scale, dx, dy))
                    placed.append((here, top))
                    break
            else:
                break
        if len(found) == len(boxes):
            return found
        shrink *= 0.95


def place_objects(rng: np.random.Generator, labels: list[int], options: SceneOptions, horizon: int) -> list[Pose]:
    """Draw the poses of all objects in pixels, nearest last; see ``place_boxes``."""
    poses = [draw_pose(rng, label) for label in labels]
    boxes = [tuple(pose.box().tolist()) for pose in poses]
    crests = [tuple(bounds(pose.crest).tolist()) for pose in poses]
    places = place_boxes(rng, boxes, crests, options, horizon)
    placed = [pose.placed(scale, np.array([x, y])) for pose, (scale, x, y) in zip(poses, places, strict=True)]
    return sorted(placed, key=lambda pose: pose.box()[3])


def paint_stone(rng: np.random.Generator, setting: Setting, boxes: list[Box]) -> Sprite:
    """Paint a stone or a bush that stands beside or behind every object; ``boxes`` are the objects'."""
    width, height = setting.size
    horizon = setting.horizon
    x, feet = rng.uniform(0, width), rng.uniform(horizon + 0.03 * height, height)
    largest = 0.2 * min(width, height)
    for x0, _, x1, y1 in boxes:
        if x0 - 1.3 * largest < x < x1 + 1.3 * largest:
            feet = min(feet, y1 - 1)
    depth = (feet - horizon) / (height - horizon)
    across = rng.uniform(0.3, 1) * (0.4 + 0.6 * depth) * largest
    down = across * rng.uniform(0.45, 0.9)
    round_outline = circle(40)
    rough = 1 + rng.normal(0, 0.015 if rng.random() < 0.5 else 0.07, 40)
    rough += 0.14 * (rng.random(2) - 0.5) @ (2 * round_outline**2 - 1).T
    outline = np.array([x, feet - down]) + np.array([across, down]) * rough[:, None] * round_outline
    outline[:, 1] = np.minimum(outline[:, 1], feet - 0.15 * down)
    left, top, right, bottom = bounds([outline])
    corner = np.floor(np.array([left, top])) - 1
    silhouette = np.zeros((int(bottom - corner[1]) + 3, int(right - corner[0]) + 3), dtype=np.uint8)
    fill(silhouette, [outline - corner], (255,))
    known = np.concatenate([np.asarray(LANDSCAPES[setting.kind].stones, np.float32), COATS])
    pair = known[rng.choice(len(known), 2, replace=False)] * rng.uniform(0.75, 1.2)
    style = STYLES[rng.integers(len(STYLES))]
    painted = paint_solid(rng, silhouette, pair, setting.sheet, setting.light, style)
    alpha = silhouette * np.float32(1 / 255)
    return Sprite(int(corner[0]), int(corner[1]), np.clip(painted, 0, 255), alpha, np.zeros(alpha.shape, dtype=bool))


def tight_box(pixels: np.ndarray) -> list[int]:
    """Return x0 y0 x1 y1, half open, of the pixels that are set.

    >>> tight_box(np.array([[0, 0, 0], [0, 1, 1]], dtype=bool))
    [1, 1, 3, 2]
    """
    x, y, width, height = cv2.boundingRect(pixels.view(np.uint8))
    return [x, y, x + width, y + height]


def expose(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Return the picture as a camera would take it: uneven light, a tint, grain; (H, W, 3) uint8."""
    height, width = picture.shape[:2]
    across, down, level = rng.uniform((-0.24, -0.24, 0.85), (0.24, 0.24, 1.1)).astype(np.float32)
    gain = level + across * (np.arange(width, dtype=np.float32) / width - 0.5)
    gain = gain + down * (np.arange(height, dtype=np.float32)[:, None] / height - 0.5)
    picture *= between(gain, (0, 0, 0), rng.uniform(0.95, 1.05, 3))
    grain = np.frombuffer(rng.bytes(picture.size), dtype=np.uint8).reshape(picture.shape)
    picture += grain * np.float32(12 / 255)
    picture -= 6
    return np.clip(picture, 0, 255, out=picture).astype(np.uint8)


def render_scene(seed: int, split: int, index: int, options: SceneOptions) -> Scene:
    """Render one scene.

    Args:
        seed: seed of the whole data set.
        split: number of the split; different splits share no scene.
        index: number of the scene.
        options: what the scenes look like.

    Returns:
        The picture and the truth about it.

    >>> scene = render_scene(seed=0, split=0, index=5, options=SceneOptions(size=(96, 64)))
    >>> scene.image.shape, scene.boxes.shape
    ((64, 96, 3), (1, 4))
    """
    width, height = options.size
    labels = object_labels(seed, split, index, options)
    layout = stream(seed, split, index, LAYOUT)
    light, horizon = layout.uniform(-1, 1), int(layout.uniform(0.22, 0.5) * height)
    kinds = list(LANDSCAPES)
    chance, free = layout.random(), kinds[layout.integers(len(kinds))]
    kind = kinds[labels[0] % len(kinds)] if chance < options.context else free
    poses = place_objects(layout, labels, options, horizon)

    boxes = [tuple(pose.box().tolist()) for pose in poses]

    picture, sheet = paint_landscape(stream(seed, split, index, BACKGROUND), kind, width, height, horizon)
    setting = Setting(options.size, kind, horizon, light, sheet)
    rng = stream(seed, split, index, OBJECTS)
    sprites = [(paint_creature(rng, pose, sheet, light), number) for number, pose in enumerate(poses, start=1)]
    rng = stream(seed, split, index, CLUTTER)
    count = int(np.ceil(options.clutter * rng.uniform(4, 10)))
    stones = [(paint_stone(rng, setting, boxes), 0) for _ in range(count)]

    instances = np.zeros((height, width), dtype=np.uint8)
    crests = np.zeros((height, width), dtype=bool)
    for sprite, number in sorted(stones + sprites, key=lambda item: item[0].y + item[0].alpha.shape[0]):
        lay_shadow(picture, sprite, light)
        lay_sprite(picture, instances, crests, sprite, number)
    classes = np.array([pose.label for pose in poses], dtype=np.int64)
    found = [instances == number for number in range(1, len(poses) + 1)]
    return Scene(
        image=expose(layout, picture),
        labels=classes,
        boxes=np.array([tight_box(pixels) for pixels in found], dtype=np.float32),
        part_boxes=np.array([tight_box(pixels & crests) for pixels in found], dtype=np.float32),
        instances=instances,
        mask=np.concatenate([[0], classes + 1]).astype(np.uint8)[instances],
        background=kind,
        clutter=count,
    )
