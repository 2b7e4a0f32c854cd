"""Noise and shading for generated pictures: everything is drawn from a numpy generator, nothing is read from disk."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

__all__ = ["between", "fractal_noise", "ground_plane", "lambert", "mottle", "rgb", "soft_ellipse"]


def fractal_noise(
    rng: np.random.Generator, width: int, height: int, cell: float, octaves: int = 3, gain: float = 0.6
) -> np.ndarray:
    """Return smooth noise of several scales.

    Args:
        rng: where the numbers come from.
        width: columns of the result.
        height: rows of the result.
        cell: size of the coarsest blobs in pixels; each further octave halves it.
        octaves: number of scales.
        gain: strength of an octave relative to the one before.

    Returns:
        (height, width) float32 in [-1, 1], zero on average.

    >>> fractal_noise(np.random.default_rng(0), 40, 30, cell=10).shape
    (30, 40)
    """
    total, weight, strength = np.zeros((1, 1), dtype=np.float32), 1.0, 0.0
    for octave in range(octaves):
        size = max(cell / 2**octave, 1.0)
        grid = rng.random((int(height / size) + 2, int(width / size) + 2), dtype=np.float32)
        grid -= 0.5
        grid *= np.float32(2 * weight)
        grid += cv2.resize(total, grid.shape[::-1], interpolation=cv2.INTER_CUBIC)
        total = grid
        strength += weight
        weight *= gain
    total = cv2.resize(total, (width, height), interpolation=cv2.INTER_CUBIC)
    total *= np.float32(1 / strength)
    return np.clip(total, -1, 1, out=total)


def rgb(grey: np.ndarray) -> np.ndarray:
    """Repeat (h, w) in three channels, (h, w, 3); arithmetic on that is several times faster than broadcasting."""
    return cv2.merge([grey, grey, grey])


def between(share: np.ndarray, first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> np.ndarray:
    """Mix two colours, ``first`` where the share is 0 and ``second`` where it is 1.

    Args:
        share: (h, w) float32.
        first: red, green, blue.
        second: red, green, blue.

    Returns:
        (h, w, 3) float32.

    >>> between(np.array([[0.0, 0.5]], dtype=np.float32), (0, 0, 0), (100, 50, 0))[0, 1].tolist()
    [50.0, 25.0, 0.0]
    """
    return cv2.merge([share * np.float32(b - a) + np.float32(a) for a, b in zip(first, second, strict=True)])


def ground_plane(texture: np.ndarray, width: int, height: int, horizon: int, stretch: float = 2.0) -> np.ndarray:
    """Lay a texture on the ground in front of the viewer.

    Args:
        texture: (h, w) float32, seen from above.
        width: columns of the picture.
        height: rows of the picture.
        horizon: row of the horizon.
        stretch: how much flatter than wide the texture looks at the lower edge.

    Returns:
        (height - horizon, width) float32, the rows below the horizon.

    >>> ground_plane(np.ones((64, 64), dtype=np.float32), 32, 32, horizon=12).shape
    (20, 32)
    """
    depth = height - horizon
    near = depth + 4.0  # the vanishing line lies 4 rows above, so that the farthest row is at a finite distance
    columns = texture.shape[1]
    picture_to_texture = np.array(
        [
            [near, columns / 2, 4 * columns / 2 - near * width / 2],
            [0, 0, stretch * near * near],
            [0, 1, 4],
        ]
    )
    return cv2.warpPerspective(
        texture,
        picture_to_texture,
        (width, depth),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def lambert(alpha: np.ndarray, light: float, roundness: float = 1.0) -> np.ndarray:
    """Shade a silhouette as if it were a rounded body lit from above.

    Args:
        alpha: (h, w) uint8 silhouette, 0 outside and along the border.
        light: where the light comes from, -1 left to 1 right.
        roundness: 0 is flat.

    Returns:
        (h, w) float32 brightness, about 0.4 to 1.3.

    >>> disc = cv2.circle(np.zeros((21, 21), np.uint8), (10, 10), 9, 255, -1)
    >>> shade = lambert(disc, light=0.0)
    >>> bool(shade[4, 10] > shade[16, 10])
    True
    """
    distance = cv2.distanceTransform(cv2.compare(alpha, 127, cv2.CMP_GT), cv2.DIST_L2, 3)
    deepest = max(float(distance.max()), 1.0)
    relief = np.sqrt(distance * (2 * deepest - distance))  # the height of a quarter circle over its rim
    blur = 2 * round(deepest / 4) + 3
    relief = cv2.GaussianBlur(relief, (blur, blur), 0)
    across = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3, scale=0.125 * roundness)
    down = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3, scale=0.125 * roundness)
    facing = (0.75 - 0.55 * np.float32(light) * across + 0.65 * down) / np.sqrt(across * across + down * down + 1)
    return np.clip(0.5 + 0.65 * facing, 0.35, 1.35)


def mottle(noise: np.ndarray, style: str, scale: float, angle: float) -> np.ndarray:
    """Turn noise into a coat or a rock face.

    Args:
        noise: (h, w) float32 in [-1, 1].
        style: ``plain``, ``stripes`` or ``spots``.
        scale: width of a stripe in pixels.
        angle: direction across the stripes in radians.

    Returns:
        (h, w) float32 in [-1, 1].

    >>> mottle(np.zeros((2, 3), dtype=np.float32), "stripes", scale=4.0, angle=0.0).shape
    (2, 3)
    """
    if style == "stripes":
        rows, columns = noise.shape
        across = np.arange(columns, dtype=np.float32) * np.float32(np.cos(angle))
        down = np.arange(rows, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
        return np.clip(1.6 * np.sin((across + down) * np.float32(np.pi / scale) + 3 * noise), -1, 1)
    if style == "spots":
        return np.clip(noise * 9 - 1.2, -1, 1)
    return noise


def soft_ellipse(width: int, height: int) -> np.ndarray:
    """Return an ellipse that fades out to its border, for shadows.

    Returns:
        (height, width) float32 in [0, 1].

    >>> soft_ellipse(9, 5)[2, 4].item()
    1.0
    """
    across = (np.arange(width, dtype=np.float32) * 2 + 1) / width - 1
    down = (np.arange(height, dtype=np.float32)[:, None] * 2 + 1) / height - 1
    return np.clip(1.6 * (1 - across * across - down * down), 0, 1)
