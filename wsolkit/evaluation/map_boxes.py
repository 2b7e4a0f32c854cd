"""From a score map to boxes, overlaps and hits at every threshold at once.

Two conventions, by name:

``wsoleval``
    What wsolevaluation computes, to the last bit (protocols of Choe et al., CVPR 2020): scores become ``uint8`` by
    truncating ``255 * score``; inside is what is strictly larger than ``int(threshold * max)``; candidates are the
    bounding boxes of all contours, those of holes included; ``largest`` is the contour that encloses the largest area
    through the centres of its pixels (the last in raster order of several); a box ends one pixel too far to the right
    and below unless it touches the border; sides are measured with one pixel added; without any contour the box is
    (0, 0, 0, 0), which is one pixel. True boxes are whole pixels with inclusive ends.
``exact``
    Inside is what is strictly larger than ``threshold * max``, scores as they are; candidates are the 8-connected
    components; ``largest`` has most pixels (the first in raster order of several); boxes are half open; without any
    component there is no box. True boxes are half open.

They differ by a pixel at the right and lower end of every box, in the component that is largest where sizes are close,
and in the boxes of holes. Measured at IoU .5 on 300 maps of each kind (benchmarks/evaluation.py --conventions): on maps
of 7 x 7 to 28 x 28 cells resized to 224 x 224, .2 to .3 % of the hits differ, and the rate at one threshold moves by up
to one or two points; with ``all`` boxes and many holes, 2.7 % of the hits and up to 13 points. Numbers of the two do
not belong into one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, DataError, nearest
from wsolkit.evaluation.best_boxes import best_boxes, chosen_boxes, ended, largest_at
from wsolkit.evaluation.checks import checked_boxes, checked_ious, checked_map
from wsolkit.evaluation.component_tree import Components, components_in_scratch
from wsolkit.evaluation.outer_contours import enclosed_area_weights, fill_holes
from wsolkit.evaluation.pixel_counts import compact
from wsolkit.evaluation.thresholds import check_thresholds

__all__ = [
    "BOXES",
    "CONVENTIONS",
    "Convention",
    "KeptMap",
    "Sweep",
    "Which",
    "box_hits",
    "component_boxes",
    "cuts_of",
    "largest_boxes",
    "sweep_overlaps",
    "truncated_boxes",
]

Convention = Literal["wsoleval", "exact"]
Which = Literal["largest", "all"]
CONVENTIONS = ("wsoleval", "exact")
BOXES = ("largest", "all")


class Swept(NamedTuple):
    """What was found in a map, whatever the truth: its components at every cut, and which is the largest.

    Attributes:
        found: the components that may give a box; where they are not kept for later, in scratch memory.
        holes: how many of them, at the end, are holes.
        peak: the highest level of the map.
        cuts: how many distinct cuts there may be.
        largest: (cuts,) the largest component at each cut, -1 for none; empty where all of them count.
    """

    found: Components
    holes: int
    peak: int
    cuts: int
    largest: np.ndarray


class KeptMap(np.ndarray):
    """A score map that is compared with the truth of many images: what was found in it is kept.

    >>> score_map = np.ones((2, 2)).view(KeptMap)
    >>> sweep_overlaps(score_map, [[0, 0, 1, 1]], thresholds=np.array([0.5])).ious.max(), len(score_map.kept)
    (np.float64(1.0), 1)
    """

    kept: dict[tuple[Any, ...], Swept]

    def __array_finalize__(self, source: Any) -> None:
        self.kept = {}


class Sweep(NamedTuple):
    """The best box of a map at each of its distinct cuts, and its overlap with the truth.

    Attributes:
        peak: the highest level of the map; with ``cuts_of`` it says which cut belongs to a threshold.
        ious: (cuts,) float64.
        boxes: (cuts, 4) whole pixels in the convention of the sweep, in the smallest type that holds them.
    """

    peak: int
    ious: np.ndarray
    boxes: np.ndarray


def box_hits(
    score_map: np.ndarray,
    gt_boxes: np.ndarray,
    *,
    thresholds: float | Sequence[float] | np.ndarray = 0.001,
    ious: Sequence[float] = (0.3, 0.5, 0.7),
    boxes: Which = "largest",
    convention: Convention = "wsoleval",
) -> np.ndarray:
    """Return whether a map's box hits a true box, for every IoU and threshold, as bool (len(ious), len(thresholds)).

    Args:
        score_map: (H, W) floats in [0, 1].
        gt_boxes: (M, 4) x0, y0, x1, y1 in pixels of the map; half open for ``exact``; inclusive ends for ``wsoleval``,
            as ``truncated_boxes`` gives them (half-open ones would be taken for boxes one pixel larger).
        thresholds: fractions of the map's maximum in [0, 1), or the step from 0 to 1.
        ious: overlaps that make a hit (>=).
        boxes: ``largest`` component, as MaxBoxAcc, or the best of ``all``, as MaxBoxAccV2.
        convention: ``wsoleval`` or ``exact``, see the module.

    Raises:
        MapError: the map holds NaN or scores outside [0, 1].
        ShapeError: the map is not (H, W), or the boxes are not (M, 4).
        DataError: there is no true box, or one is upside down or outside the map.
        ConfigError: a threshold, ``boxes`` or ``convention`` is none of the allowed ones.

    >>> score_map = np.zeros((8, 8))
    >>> score_map[2:6, 2:6] = 0.5
    >>> score_map[3:5, 3:5] = 1
    >>> box_hits(score_map, [[2, 2, 6, 6]], thresholds=[0.2, 0.6], ious=[0.2, 0.5], convention="exact").tolist()
    [[True, True], [True, False]]
    """
    cuts = check_thresholds(thresholds)
    found = sweep_overlaps(score_map, gt_boxes, thresholds=cuts, boxes=boxes, convention=convention)
    return found.ious[cuts_of(cuts, found.peak, convention)] >= np.array(checked_ious(ious))[:, None]


def component_boxes(
    score_map: np.ndarray,
    thresholds: float | Sequence[float] | np.ndarray = 0.001,
    *,
    boxes: Which = "all",
    convention: Convention = "exact",
) -> list[np.ndarray]:
    """Return the boxes (N, 4) of a map at each threshold, from one pass over the map.

    Components come largest first (first in raster order of several), boxes of holes (``wsoleval`` only) after them.

    Args:
        score_map: (H, W) floats in [0, 1].
        thresholds: fractions of the map's maximum in [0, 1), or the step from 0 to 1.
        boxes: the ``largest`` component's alone, or ``all``.
        convention: ``wsoleval`` or ``exact``, see the module.

    Raises:
        MapError: the map holds NaN or scores outside [0, 1].
        ShapeError: the map is not (H, W).
        ConfigError: a threshold, ``boxes`` or ``convention`` is none of the allowed ones.

    >>> score_map = np.array([[0, 1.0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0.5]])
    >>> [found.tolist() for found in component_boxes(score_map, [0.2, 0.6])]
    [[[1, 0, 3, 1], [3, 2, 4, 3]], [[1, 0, 3, 1]]]
    """
    score_map = float_map(score_map)
    wanted = check_thresholds(thresholds)
    levels, peak = levels_of(score_map, wanted, convention)
    found, holes = candidates(levels, boxes, convention)
    cuts = cuts_of(wanted, peak, convention)
    ends = end_boxes(found.bounds, holes, levels.shape, convention)
    if boxes == "largest":
        which = largest_at(found.low, found.high, found.size, found.first, convention == "wsoleval", number_of(cuts))
        each = [ends[number : number + 1] if number >= 0 else nothing(convention) for number in which]
    else:
        order = np.lexsort((found.first, -found.size, np.arange(len(ends)) >= len(ends) - holes))
        low, high, ends = found.low[order], found.high[order], ends[order]
        each = [ends[(low <= cut) & (cut < high)] for cut in range(number_of(cuts))]
        each = [inside if len(inside) else nothing(convention) for inside in each]
    return [each[cut].copy() for cut in cuts]


def sweep_overlaps(
    score_map: np.ndarray,
    gt_boxes: np.ndarray,
    *,
    thresholds: np.ndarray,
    boxes: Which = "largest",
    convention: Convention = "wsoleval",
) -> Sweep:
    """Return the overlap of a map's box with the truth at every distinct cut; see ``box_hits``."""
    score_map = score_map if isinstance(score_map, KeptMap) else float_map(score_map)
    truth = true_boxes(gt_boxes, score_map.shape)
    swept = sweep_map(score_map, thresholds, boxes, convention)
    found, parity = swept.found, convention == "wsoleval"
    height, width = score_map.shape
    if boxes == "largest":
        ious, ends = chosen_boxes(swept.largest, found.bounds, truth, height, width, parity)
    else:
        ious, ends = best_boxes(
            found.low, found.high, found.bounds, swept.holes, truth, height, width, parity, swept.cuts
        )
    return Sweep(swept.peak, ious, compact(ends))


def sweep_map(score_map: np.ndarray, thresholds: np.ndarray, boxes: Which, convention: Convention) -> Swept:
    """Return the components of a map at every distinct cut; those of a ``KeptMap`` are found once."""
    kept = getattr(score_map, "kept", None)
    key = (thresholds.tobytes(), boxes, convention)
    if kept is not None and key in kept:
        return kept[key]
    levels, peak = levels_of(float_map(score_map), thresholds, convention)
    found, holes = candidates(levels, boxes, convention)
    cuts = number_of(cuts_of(thresholds, peak, convention))
    largest = np.zeros(0, np.int64)
    if boxes == "largest":
        largest = largest_at(found.low, found.high, found.size, found.first, convention == "wsoleval", cuts)
    swept = Swept(found, holes, peak, cuts, largest)
    if kept is not None:
        kept[key] = swept = swept._replace(found=Components(*(np.array(each) for each in found)))
    return swept


def largest_boxes(score_map: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return the largest component's box at each threshold, (T, 4) half open in pixels; all 0 where there is none.

    >>> largest_boxes(np.array([[0, 1.0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0.5]]), np.array([0.2, 0.6])).tolist()
    [[1, 0, 3, 1], [1, 0, 3, 1]]
    """
    swept = sweep_map(score_map, thresholds, "largest", "exact")
    ends = end_boxes(swept.found.bounds, 0, np.shape(score_map), "exact")
    boxes = np.zeros((swept.cuts, 4), ends.dtype)
    there = swept.largest >= 0
    boxes[there] = ends[swept.largest[there]]
    return boxes[cuts_of(thresholds, swept.peak, "exact")]


def truncated_boxes(boxes: np.ndarray, size: tuple[int, int], to: tuple[int, int]) -> np.ndarray:
    """Return half-open boxes (M, 4) as wsolevaluation has them: scaled, truncated to whole pixels, with inclusive ends.

    Args:
        boxes: (M, 4) x0, y0, x1, y1 half open, in pixels of the image.
        size: (width, height) of the image.
        to: (width, height) of the map.

    >>> truncated_boxes(np.array([[10, 20, 101, 81]]), (200, 100), (224, 224)).tolist()
    [[11, 44, 112, 179]]
    """
    scale = np.array([*to, *to], np.float64)
    inclusive = np.asarray(boxes, np.float64).reshape(-1, 4) - [0, 0, 1, 1]
    found = (inclusive * scale / np.array([*size, *size], np.float64)).astype(np.int64)
    found[:, 2:] = np.maximum(found[:, 2:], found[:, :2])  # a box of less than a pixel would end before it begins
    return found


def cuts_of(thresholds: np.ndarray, peak: int, convention: Convention) -> np.ndarray:
    """Return the cut of each threshold (T,): what is above it is ``levels > cut``.

    >>> cuts_of(np.array([0.0, 0.2, 0.2001]), 255, "wsoleval").tolist()
    [0, 51, 51]
    """
    if convention == "wsoleval":
        return (thresholds * peak).astype(np.int64)
    return np.unique(thresholds, return_inverse=True)[1]


def number_of(cuts: np.ndarray) -> int:
    """Return how many distinct cuts there may be."""
    return int(cuts.max()) + 1


def levels_of(score_map: np.ndarray, thresholds: np.ndarray, convention: Convention) -> tuple[np.ndarray, int]:
    """Return the levels (H, W) uint16 whose cuts are those of the thresholds, and the highest level.

    Raises:
        ConfigError: the convention is unknown.
    """
    if convention == "wsoleval":
        levels = (score_map * 255).astype(np.uint8)
        return levels.astype(np.uint16), int(levels.max())
    if convention != "exact":
        raise ConfigError(f"There is no convention {convention!r}. {nearest(str(convention), CONVENTIONS)}")
    bounds = (np.unique(thresholds) * float(score_map.max())).astype(score_map.dtype)
    return np.searchsorted(bounds, score_map.ravel()).astype(np.uint16).reshape(score_map.shape), len(bounds)


def candidates(levels: np.ndarray, boxes: Which, convention: Convention) -> tuple[Components, int]:
    """Return the components that may give a box, and how many of them, at the end, are holes; in scratch memory.

    Raises:
        ConfigError: ``boxes`` is unknown.
    """
    if boxes not in BOXES:
        raise ConfigError(f"boxes are the {' or '.join(map(repr, BOXES))} components, but got {boxes!r}.")
    if convention == "exact":
        return components_in_scratch(levels), 0
    if boxes == "largest":
        filled = fill_holes(levels)
        return components_in_scratch(filled, enclosed_area_weights(filled)), 0
    count = len(components_in_scratch(levels).low)
    # Holes of levels > T are the 4-connected components of the rest away from the border; cut C of the negative stands
    # for T = highest - 1 - C.
    highest = int(levels.max())
    both = components_in_scratch(highest - levels, diagonal=False, inner=True, behind=count)
    low = highest - both.high[count:]
    both.high[count:] = highest - both.low[count:]
    both.low[count:] = low
    return both, len(both.low) - count


def end_boxes(bounds: np.ndarray, holes: int, shape: tuple[int, ...], convention: Convention) -> np.ndarray:
    """Return boxes (n, 4) from inclusive bounds by the convention; the last ``holes`` of them belong to holes."""
    return ended(bounds, len(bounds) - holes, shape[0], shape[1], convention == "wsoleval")


def nothing(convention: Convention) -> np.ndarray:
    """Return the boxes of an empty map."""
    return np.zeros((int(convention == "wsoleval"), 4), np.int32)


def float_map(score_map: np.ndarray) -> np.ndarray:
    """Return a score map (H, W) in [0, 1] as floats; see ``checked_map``."""
    found = checked_map(score_map)
    return found if found.dtype in (np.float32, np.float64) else found.astype(np.float32)


def true_boxes(boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return true boxes (M, 4) float64 in pixels of a map; see ``checked_boxes``.

    Raises:
        DataError: there are none.
    """
    found = checked_boxes(boxes, "gt_boxes", (shape[1], shape[0]))
    if not len(found):
        raise DataError("There is no true box to compare a map with. Leave the image out of box metrics.")
    return found
