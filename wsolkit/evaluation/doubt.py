"""How doubtful a box is, told from the score maps alone: no true box, no class score.

Conventions: boxes are x0 y0 x1 y1, half open, in pixels of the map; "inside" is strictly above the cut times the map's
maximum; components are 8-connected. Maps larger than 64 pixels on a side are looked at in steps of whole pixels: the
signs are ratios, which hardly change, and a box costs a fraction of a millisecond.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, ShapeError
from wsolkit.evaluation.checks import checked_boxes, checked_map
from wsolkit.evaluation.map_boxes import component_boxes
from wsolkit.evaluation.overlap import box_iou

__all__ = ["BoxSigns", "box_doubt", "box_signs"]

SIDE = 64
"""How many pixels on a side a map is looked at in."""

NEARBY = (-0.15, -0.1, -0.05, 0.05, 0.1)
"""The cuts a box is compared with itself at, as differences from its own."""


class BoxSigns(NamedTuple):
    """What a map tells about one of its boxes; NaN where what it takes was not given.

    Attributes:
        steady: mean overlap (IoU) of the box with the best one at each neighbouring cut.
        steadiest: the least of these.
        mirror: overlap with the best box of the mirror image's map at the same cut.
        members: mean overlap with the best box of each member's map.
        refined: overlap with what a refiner made of the box.
        area: share of the map.
        sides: share of the four sides of the map that the box touches.
        contrast: mean of the map inside the box less that outside, as a share of the maximum.
        filled: share of the box's pixels that are above the cut.
        rest: share of what is above the cut that lies outside the box.
        off: how far the box's middle lies from the map's, in half sides, the farther of the two axes.
        unsure: share of the map that lies within .1 of the cut.
    """

    steady: float
    steadiest: float
    mirror: float
    members: float
    refined: float
    area: float
    sides: float
    contrast: float
    filled: float
    rest: float
    off: float
    unsure: float


def box_signs(
    score_map: np.ndarray,
    box: np.ndarray,
    threshold: float,
    *,
    mirror_map: np.ndarray | None = None,
    member_maps: np.ndarray | None = None,
    refined_box: np.ndarray | None = None,
) -> BoxSigns:
    """Return what a map tells about one of its boxes; see ``box_doubt`` for the arguments and errors.

    >>> score_map = np.zeros((8, 8))
    >>> score_map[2:6, 2:6] = 1
    >>> signs = box_signs(score_map, [2, 2, 6, 6], 0.5, mirror_map=score_map)
    >>> signs.steady, signs.mirror, signs.area, signs.filled, signs.rest
    (1.0, 1.0, 0.25, 1.0, 0.0)
    """
    if not 0 <= threshold < 1:
        raise ConfigError(f"A box threshold is a fraction of the map's maximum in [0, 1), but got {threshold}.")
    score_map = checked_map(score_map)
    shape = score_map.shape
    ends = checked_boxes([box], "box", (shape[1], shape[0]))[0]
    step = max(1, -(-max(shape) // SIDE))
    small = stepped(score_map, step)
    height, width = small.shape
    x0, y0 = np.floor(ends[:2] / step).astype(int)
    x1, y1 = np.ceil(ends[2:] / step).astype(int)
    x1, y1 = min(max(x1, x0 + 1), width), min(max(y1, y0 + 1), height)
    own = np.array([[x0, y0, x1, y1]], np.float64)
    peak = float(small.max(initial=0.0)) or 1.0
    above = small > threshold * peak
    inside, within = small[y0:y1, x0:x1], above[y0:y1, x0:x1]
    around = small.size - inside.size
    outside = (float(small.sum()) - float(inside.sum())) / around if around else 0.0
    near = nearby_overlaps(small, own, threshold)
    members = np.nan
    if member_maps is not None and len(member_maps):
        members = float(np.mean([overlap(each, own, threshold, shape, step, "member_maps") for each in member_maps]))
    refined = np.nan
    if refined_box is not None:
        refined = float(box_iou(ends, checked_boxes([refined_box], "refined_box"))[0, 0])
    middle = np.abs((ends[:2] + ends[2:]) / (shape[1], shape[0]) - 1)
    return BoxSigns(
        steady=float(near.mean()),
        steadiest=float(near.min()),
        mirror=np.nan if mirror_map is None else overlap(mirror_map, own, threshold, shape, step, "mirror_map"),
        members=members,
        refined=refined,
        area=float(np.prod(ends[2:] - ends[:2])) / score_map.size,
        sides=float(np.mean([x0 <= 0, y0 <= 0, x1 >= width, y1 >= height])),
        contrast=(float(inside.mean()) - outside) / peak,
        filled=float(within.mean()),
        rest=1 - float(within.sum()) / max(int(above.sum()), 1),
        off=float(middle.max()),
        unsure=float((np.abs(small / peak - threshold) < 0.1).mean()),
    )


def stepped(score_map: np.ndarray, step: int) -> np.ndarray:
    """Return every ``step``-th pixel of a map (H, W), from the middle of the first step on."""
    return np.ascontiguousarray(score_map[step // 2 :: step, step // 2 :: step])


def nearby_overlaps(score_map: np.ndarray, own: np.ndarray, threshold: float) -> np.ndarray:
    """Return the overlap of a box (1, 4) with the best box at each cut near its own."""
    cuts = np.clip([threshold + each for each in NEARBY], 0, 0.99)
    return np.array([box_iou(own, each).max(initial=0.0) for each in component_boxes(score_map, cuts)])


def overlap(
    score_map: np.ndarray, own: np.ndarray, threshold: float, shape: tuple[int, ...], step: int, name: str
) -> float:
    """Return the overlap of a box (1, 4) with the best box of another map of the same image.

    Raises:
        ShapeError: that map has another size.
    """
    if np.shape(score_map) != shape:
        raise ShapeError(
            f"{name} should have the size {shape} of the box's map, but got {np.shape(score_map)}. Resize them alike."
        )
    found = component_boxes(stepped(checked_map(score_map), step), [threshold])[0]
    return float(box_iou(own, found).max(initial=0.0))


def box_doubt(
    score_map: np.ndarray,
    box: np.ndarray,
    threshold: float,
    *,
    mirror_map: np.ndarray | None = None,
    member_maps: np.ndarray | None = None,
    refined_box: np.ndarray | None = None,
) -> float:
    """Return how likely a box misses its object (IoU below .5), in [0, 1], from what the maps tell.

    Args:
        score_map: (H, W) in [0, 1], the map that the box was cut from.
        box: (4,) in pixels of the map.
        threshold: where the map was cut, a fraction of its maximum in [0, 1).
        mirror_map: (H, W) the map of the mirror image, flipped back.
        member_maps: (M, H, W) maps that were learnt from other beginnings.
        refined_box: (4,) what a refiner made of the box, in pixels of the map.

    Raises:
        ConfigError: the threshold is not in [0, 1).
        DataError: a box has NaN or a negative size, or lies outside the map.
        MapError: a map holds NaN or scores outside [0, 1].
        ShapeError: a map is not (H, W), or has another size than ``score_map``.
    """
    signs = box_signs(
        score_map, box, threshold, mirror_map=mirror_map, member_maps=member_maps, refined_box=refined_box
    )
    return float(np.clip(1 - signs.steady, 0, 1))
