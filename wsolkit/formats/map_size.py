"""The size that score maps are compared at, and their range: resizing and normalising, on plain arrays.

Conventions: sizes are (H, W). Cells become pixels with half-pixel centres, as OpenCV does: ``linear``, or ``cubic`` as
wsolevaluation, which over- and undershoots and is cut off to [0, 1]. ``minmax`` brings a map's smallest score to 0 and
its largest to 1, after it was resized, as wsolevaluation does; a constant map becomes zeros.
"""

from __future__ import annotations

import re
from typing import Literal

import cv2
import numpy as np

from wsolkit.errors import ConfigError, MapError, ShapeError, one_of

__all__ = [
    "NORMALIZE",
    "RESIZE",
    "MapSize",
    "check_options",
    "checked_scores",
    "fit_map",
    "min_max",
    "parse_size",
    "size_for",
]

RESIZE = ("linear", "cubic", "refuse")
NORMALIZE = ("none", "minmax")
INTERPOLATION = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
MOST_SIDE, MOST_CELLS = 2**15, 2**28
"""No map is as long as the first, or has more cells than the second: 16384 x 16384."""
ROUNDING = 1e-5
"""How far a score may lie outside [0, 1] and still be a rounding error."""

MapSize = tuple[int, int] | Literal["original", "map"]
"""(H, W), the size of each image, or that of each map."""


def parse_size(text: str) -> MapSize:
    """Return the size that ``--size`` means.

    Raises:
        ConfigError: the text is no size.

    >>> parse_size("224"), parse_size("224x320"), parse_size("original")
    ((224, 224), (224, 320), 'original')
    """
    if text == "original":
        return "original"
    if text == "map":
        return "map"
    found = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    height, width = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not (0 < height < MOST_SIDE and 0 < width < MOST_SIDE):
        raise ConfigError(
            f"--size should be a number of pixels (224), HEIGHTxWIDTH (224x320), original or map, but got {text!r}."
        )
    return height, width


def check_options(resize: str, normalize: str) -> None:
    """Refuse a ``--resize`` or ``--normalize`` that does not exist, before a map is read.

    Raises:
        ConfigError: one of them is unknown.

    >>> check_options("linear", "minmax")
    """
    for option, given, known in (("--resize", resize, RESIZE), ("--normalize", normalize, NORMALIZE)):
        one_of(option, given, known)


def size_for(size: MapSize, score_map: tuple[int, ...], image: tuple[int, int] | None) -> tuple[int, int]:
    """Return the (H, W) that a map of one image is brought to.

    Args:
        size: as ``parse_size`` returns it.
        score_map: (H, W) of the map.
        image: (width, height) of the image, or None if unknown.

    Raises:
        ConfigError: the image's own size is wanted, but not known, or too large.

    >>> size_for("original", (7, 7), (640, 480)), size_for((224, 224), (7, 7), None)
    ((480, 640), (224, 224))
    """
    if size == "map":
        return int(score_map[0]), int(score_map[1])
    if size == "original":
        if image is None:
            raise ConfigError("--size original needs the sizes of the images. Give image_sizes.txt or --images.")
        if image[0] * image[1] > MOST_CELLS:
            raise ConfigError(
                f"No map is brought to {image[0]} x {image[1]} pixels. Correct the size, or give --size 224."
            )
        return image[1], image[0]
    return size


def checked_scores(array: np.ndarray, what: str, normalize: str = "none") -> np.ndarray:
    """Return a stored map (H, W) as floats: uint8 is divided by 255, what is no float64 becomes float32.

    Args:
        array: what the file holds.
        what: what it is, with its image and file, as the start of a sentence.
        normalize: ``none``: scores have to lie in [0, 1]; ``minmax``: they may have any range.

    Raises:
        MapError: it is not (H, W), holds no scores, NaN, infinity, or scores outside [0, 1].

    >>> checked_scores(np.array([[0, 51]], np.uint8), "The map").round(3).tolist()
    [[0.0, 0.20000000298023224]]
    """
    if array.ndim != 2 or not array.size:
        raise MapError(
            f"{what} has shape {array.shape}. Save it as (H, W), or one for each class as (K, H, W), with at least "
            "one pixel."
        )
    if max(array.shape) >= MOST_SIDE or array.size > MOST_CELLS:
        raise MapError(
            f"{what} has shape {array.shape}, and no image is so large. Save it as (H, W) at the map's size."
        )
    if array.dtype == np.uint8:
        return np.asarray(array, dtype=np.float32) / np.float32(255)
    if array.dtype.kind not in ("fb" if normalize == "none" else "fbiu"):
        raise MapError(
            f"{what} holds {array.dtype}, whose range nobody can know. Save it as float32 in [0, 1], or as uint8 from "
            "0 to 255."
        )
    scores = np.asarray(array, dtype=np.float64 if array.dtype == np.float64 else np.float32)
    low, high = float(scores.min()), float(scores.max())  # NaN wins in both
    if not (np.isfinite(low) and np.isfinite(high)):
        raise MapError(f"{what} holds NaN or infinity. The model has diverged, or the file is damaged: write it again.")
    if normalize == "minmax":
        return scores
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise MapError(
            f"{what} goes from {low:.4g} to {high:.4g}, but scores lie in [0, 1]. Add --normalize minmax to bring each "
            "map to that range."
        )
    return np.clip(scores, 0, 1)


def min_max(score_map: np.ndarray) -> np.ndarray:
    """Return a map (H, W) with its smallest score brought to 0 and its largest to 1; zeros for a constant map.

    It is what ``wsolkit.maps.normalize_maps`` does to tensors, to the last bit.

    Raises:
        MapError: it holds NaN or infinity.

    >>> min_max(np.array([[1.0, 2.0, 5.0]])).tolist()
    [[0.0, 0.25, 1.0]]
    """
    low, high = score_map.min(), score_map.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise MapError("A score map holds NaN or infinity, so its range cannot be brought to [0, 1]. Write it again.")
    # Resizing a constant map leaves rounding noise: a span of a few units in the last place is no signal.
    noise = 8 * np.finfo(score_map.dtype).eps * max(abs(low), abs(high))
    if not high - low > noise:
        return np.zeros_like(score_map)
    return np.clip((score_map - low) / (high - low), 0, 1)


def fit_map(
    score_map: np.ndarray, size: tuple[int, int], how: str = "linear", normalize: str = "none", what: str = "A map"
) -> np.ndarray:
    """Return a map at a size, in [0, 1].

    Args:
        score_map: (h, w) floats; in [0, 1] unless they are normalised.
        size: (H, W) wanted.
        how: ``linear``, ``cubic``, or ``refuse`` for an error where the size differs.
        normalize: ``none`` cuts off what cubic overshoots, ``minmax`` brings the resized map to [0, 1].
        what: what the map is called in errors.

    Raises:
        ConfigError: ``how`` or ``normalize`` is unknown.
        ShapeError: the size differs and may not.

    >>> fit_map(np.array([[0.0, 1.0]]), (1, 4)).tolist()
    [[0.0, 0.25, 0.75, 1.0]]
    """
    one_of("resize", how, RESIZE)
    one_of("normalize", normalize, NORMALIZE)
    fitted = score_map
    if tuple(score_map.shape) != tuple(size):
        if how == "refuse":
            raise ShapeError(
                f"{what} is {score_map.shape[0]} x {score_map.shape[1]} (H x W), but {size[0]} x {size[1]} is wanted. "
                "Choose that --size, or --resize linear."
            )
        height, width = size
        fitted = cv2.resize(np.ascontiguousarray(score_map), (width, height), interpolation=INTERPOLATION[how])
    return min_max(fitted) if normalize == "minmax" else np.clip(fitted, 0, 1)
