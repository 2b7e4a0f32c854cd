"""Score maps of every kind that a component tree can get wrong, drawn from a random generator."""

import cv2
import numpy as np


def smooth(rng, height, width):
    return cv2.resize(rng.random((7, 7)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)


def white_noise(rng, height, width):
    return rng.random((height, width))


def blurred_noise(rng, height, width):
    return cv2.GaussianBlur(rng.random((height, width)), (0, 0), 1.5)


def plateaus(rng, height, width):
    return rng.integers(0, 4, (height, width)) / 3


def rings(rng, height, width):
    y, x = np.mgrid[:height, :width]
    centre = rng.uniform(0.2, 0.8, 2) * (height, width)
    return np.cos(np.hypot(y - centre[0], x - centre[1]) * rng.uniform(0.3, 2)) / 2 + 0.5


def binary(rng, height, width):
    return (rng.random((height, width)) > rng.uniform(0.3, 0.8)).astype(float)


def lines(rng, height, width):
    score_map = np.zeros((height, width))
    for _ in range(5):
        if rng.random() < 0.5:
            score_map[rng.integers(height)] = rng.random()
        else:
            score_map[:, rng.integers(width)] = rng.random()
    return score_map


def equal_areas(rng, height, width):
    """Rectangles of few sizes and levels, so that several have the same area."""
    score_map = np.zeros((height, width))
    for _ in range(7):
        y, x = rng.integers(height), rng.integers(width)
        score_map[y : y + rng.integers(1, 4), x : x + rng.integers(1, 4)] = rng.integers(1, 4) / 3
    return score_map


def sparse(rng, height, width):
    return (rng.random((height, width)) > 0.9) * rng.random((height, width))


def nested_frames(rng, height, width):
    """Frames one pixel wide, each inside the hole of the one before, some broken."""
    score_map = np.zeros((height, width))
    for inset in range(0, min(height, width) // 2, 2):
        part = score_map[inset : height - inset, inset : width - inset]
        part[[0, -1]] = part[:, [0, -1]] = rng.random()
        if rng.random() < 0.3:
            part[0, rng.integers(part.shape[1])] = 0
    return score_map


def constant(rng, height, width):
    return np.full((height, width), rng.random())


def zero(rng, height, width):
    return np.zeros((height, width))


KINDS = [
    smooth, white_noise, blurred_noise, plateaus, rings, binary, lines, equal_areas, sparse, nested_frames, constant,
    zero,
]  # fmt: skip


def drawn_map(kind, rng, largest=40):
    """Return a map of a kind with random sides and type, usually stretched to [0, 1]."""
    height, width = rng.integers(1, largest, 2)
    score_map = kind(rng, int(height), int(width)).astype(rng.choice([np.float32, np.float64]))
    if rng.random() < 0.7 and score_map.max() > score_map.min():
        score_map = (score_map - score_map.min()) / (score_map.max() - score_map.min())
    return np.clip(score_map, 0, 1)


def drawn_boxes(rng, shape, most=3):
    """Return up to ``most`` boxes with inclusive ends inside a map."""
    height, width = shape
    corners = rng.integers(0, [width, height], (rng.integers(1, most + 1), 2, 2))
    return np.sort(corners, axis=1).reshape(-1, 4)
