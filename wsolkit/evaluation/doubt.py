"""How doubtful a box is, told from score maps alone: no true box, no class score.

``box_doubt`` is a logistic regression on five signs, ours. Its weights were fitted on whether the box of the largest
component misses (IoU below .5), for C2AM's maps on EfficientNet-Lite0's features: 250 validation birds (CUB-200-2011,
cut at .74, 13 % misses) and 240 photographs of single objects from the training and validation images of PASCAL VOC
2012 (cut at .64, 12 %), with a ridge penalty of 10; no test box was seen. Cross-validated areas under the ROC curve:
.78 and .88; of the box's area alone .77 and .71. Measured on boxes that nothing was chosen by: .80 on 702 test birds
(95 % interval .74 to .84) and .84 on 112 single objects of VOC's test split (.73 to .93), where the box's area has .75
and .66, and how unsure ImageNet's classifier is .51 and .55. What an ensemble's members and a wider set of signs say
besides added nothing. The number is a probability where misses are about as frequent as there, and an order elsewhere.

Conventions: boxes are x0 y0 x1 y1, half open, in pixels of the map; "above" is strictly above the cut times the map's
maximum; components are 8-connected. Maps larger than 64 pixels on a side are looked at in steps of whole pixels: the
signs are ratios, which hardly change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, ShapeError
from wsolkit.evaluation.checks import checked_boxes, checked_map
from wsolkit.evaluation.map_boxes import component_boxes
from wsolkit.evaluation.overlap import box_iou

__all__ = ["BoxSigns", "box_doubt", "box_signs", "map_agreement"]

SIDE = 64
"""How many pixels on a side a map is looked at in."""

NEARBY = (-0.15, -0.1, -0.05, 0.05, 0.1)
"""The cuts a box is compared with itself at, as differences from its own."""

BIAS = 4.28
WEIGHTS = (-5.93, -1.63, -2.14, 2.64, 0.97)
"""The regression's weights of ``BoxSigns``, in its order; see the module."""

USUAL_MIRROR = 0.924
"""The overlap with the mirror image's box that is taken where none is known: its mean on the photographs of the fit."""


class BoxSigns(NamedTuple):
    """What a map tells about one of its boxes.

    Attributes:
        steady: mean overlap (IoU) of the box with the best one at each neighbouring cut.
        mirror: overlap with the best box of the mirror image's map at the same cut; NaN where there is no such map.
        area: share of the map.
        off: how far the box's middle lies from the map's, in half sides, on the farther of the two axes.
        rest: share of what is above the cut that lies outside the box.
    """

    steady: float
    mirror: float
    area: float
    off: float
    rest: float


def box_doubt(
    score_map: np.ndarray, box: np.ndarray, threshold: float, *, mirror_map: np.ndarray | None = None
) -> float:
    """Return how likely a box misses its object (IoU below .5), in [0, 1], from what the maps tell; see the module.

    Args:
        score_map: (H, W) in [0, 1], the map that the box was cut from.
        box: (4,) in pixels of the map.
        threshold: where the map was cut, a fraction of its maximum in [0, 1).
        mirror_map: (H, W) the map of the mirror image, flipped back.

    Raises:
        ConfigError: the threshold is not in [0, 1).
        DataError: the box has NaN or a negative size, or lies outside the map.
        MapError: a map holds NaN or scores outside [0, 1].
        ShapeError: a map is not (H, W), or the two differ in size.

    >>> score_map = np.zeros((8, 8))
    >>> score_map[2:6, 2:6] = 1
    >>> round(box_doubt(score_map, [2, 2, 6, 6], 0.5), 3)
    0.024
    >>> score_map[0, 7] = 1
    >>> round(box_doubt(score_map, [7, 0, 8, 1], 0.5), 3)
    0.508
    """
    signs = box_signs(score_map, box, threshold, mirror_map=mirror_map)
    signs = signs._replace(mirror=USUAL_MIRROR if np.isnan(signs.mirror) else signs.mirror)
    return float(1 / (1 + np.exp(-(BIAS + np.dot(WEIGHTS, signs)))))


def box_signs(
    score_map: np.ndarray, box: np.ndarray, threshold: float, *, mirror_map: np.ndarray | None = None
) -> BoxSigns:
    """Return what a map tells about one of its boxes; see ``box_doubt`` for the arguments and errors.

    >>> score_map = np.zeros((8, 8))
    >>> score_map[2:6, 2:6] = 1
    >>> box_signs(score_map, [2, 2, 6, 6], 0.5, mirror_map=score_map)
    BoxSigns(steady=1.0, mirror=1.0, area=0.25, off=0.0, rest=0.0)
    """
    if not 0 <= threshold < 1:
        raise ConfigError(f"A box threshold is a fraction of the map's maximum in [0, 1), but got {threshold}.")
    score_map = checked_map(score_map)
    sides = np.array(score_map.shape[::-1])
    ends = checked_boxes([box], "box", (int(sides[0]), int(sides[1])))[0]
    small, step = stepped(score_map)
    own = ends / step
    above = small > threshold * small.max()
    (x0, y0), (x1, y1) = np.floor(own[:2]).astype(int), np.ceil(own[2:]).astype(int)
    cuts = np.clip([threshold + each for each in NEARBY], 0, 0.99)
    steady = [box_iou(own, each).max(initial=0.0) for each in component_boxes(small, cuts)]
    mirror = np.nan if mirror_map is None else map_agreement(ends, [mirror_map], threshold, score_map.shape)
    return BoxSigns(
        steady=float(np.mean(steady)),
        mirror=mirror,
        area=float((ends[2:] - ends[:2]).prod() / score_map.size),
        off=float(np.abs((ends[:2] + ends[2:]) / sides - 1).max()),
        rest=float(1 - above[y0:y1, x0:x1].sum() / max(above.sum(), 1)),
    )


def map_agreement(
    box: np.ndarray, score_maps: Iterable[np.ndarray], threshold: float, shape: tuple[int, ...] | None = None
) -> float:
    """Return the mean overlap (IoU) of a box with the best box of each of other maps of the image, at the same cut.

    Args:
        box: (4,) in pixels of the maps.
        score_maps: maps (H, W) of the same size: those of an ensemble's members, say.
        threshold: where they are cut, a fraction of their maximum in [0, 1).
        shape: (H, W) they should have; None for any.

    Raises:
        ShapeError: a map has another size.

    >>> map_agreement([0, 0, 2, 2], [np.array([[1, 1, 0], [1, 1, 0]]), np.array([[1, 0, 0], [1, 0, 0]])], 0.5)
    0.75
    """
    found = []
    for each in score_maps:
        if shape is not None and np.shape(each) != shape:
            raise ShapeError(
                f"A map of the same image should have the size {shape} of the box's map, but got {np.shape(each)}. "
                "Resize them alike."
            )
        small, step = stepped(checked_map(each))
        boxes = component_boxes(small, [threshold])[0]
        found.append(box_iou(np.asarray(box) / step, boxes).max(initial=0.0))
    return float(np.mean(found)) if found else float("nan")


def stepped(score_map: np.ndarray) -> tuple[np.ndarray, int]:
    """Return a map of at most ``SIDE`` pixels on a side, every n-th pixel of the given one (H, W), and n.

    >>> small, step = stepped(np.arange(130.0).reshape(1, 130) / 130)
    >>> small.shape, step
    ((1, 44), 3)
    """
    step = max(1, -(-max(score_map.shape) // SIDE))
    first = [min(step // 2, (side - 1) % step) for side in score_map.shape]  # the last step may be short
    return np.ascontiguousarray(score_map[first[0] :: step, first[1] :: step]), step
