"""Where the maps are cut: a number, a rule without boxes, or the threshold that fits the boxes of the val split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wsolkit import ConfigError, DataError
from wsolkit.evaluation import choose_threshold, hit_rates
from wsolkit_psol.box_source import BoxSource
from wsolkit_psol.otsu import BINS, histogram, otsu_cut

__all__ = ["RULES", "Choice", "MapTruth", "checked_rule", "choose_on_val", "otsu_of_data_set"]

VAL, OTSU_IMAGE, OTSU_DATA = "val", "otsu", "otsu-dataset"
RULES = (VAL, OTSU_IMAGE, OTSU_DATA)
THRESHOLDS = 100
"""How many thresholds are tried on the val split, evenly in [0, 1)."""


class MapTruth(NamedTuple):
    """A score map (h, w), the size (width, height) of its image, and the true boxes (N, 4) in pixels of the image."""

    score_map: np.ndarray
    size: tuple[int, int]
    truth: np.ndarray


@dataclass(frozen=True)
class Choice:
    """A threshold and how it came about.

    Attributes:
        rule: in words, for the file and the page.
        cut: gives the threshold of a prepared map.
        threshold: the one threshold of all maps; None where each has its own.
        hits: share of val images whose box overlaps a true one by the wanted IoU, in percent; None where no val box was
            looked at.
        images: how many val images that was.
    """

    rule: str
    cut: Callable[[np.ndarray], float]
    threshold: float | None = None
    hits: float | None = None
    images: int = 0


def checked_rule(threshold: float | str, has_val_maps: bool) -> float | str:
    """Return a threshold or the name of a rule.

    Raises:
        ConfigError: it is neither, or the rule needs maps that are not given.
    """
    number = not isinstance(threshold, (bool, str))
    if threshold not in RULES and not (number and isinstance(threshold, (int, float)) and 0 <= threshold < 1):
        raise ConfigError(
            f"threshold should be a fraction of the map's maximum in [0, 1) or one of {RULES}, but got {threshold!r}. "
            "It is never chosen on the boxes of the test split."
        )
    if threshold == VAL and not has_val_maps:
        raise ConfigError(
            "threshold='val' is chosen on the boxes of the val split, but val_maps is not given. Name the folder of a "
            "stage that wrote the maps of val, or take a rule without boxes: 'otsu' or 'otsu-dataset'."
        )
    if threshold != VAL and has_val_maps:
        raise ConfigError(f"val_maps is only read for threshold='val', but threshold is {threshold!r}. Leave one out.")
    return threshold


def fixed(threshold: float) -> Choice:
    """Return a threshold that somebody gave."""
    return Choice(f"fixed at {threshold:g}", lambda _: threshold, threshold)


def otsu_of_image() -> Choice:
    """Return the rule that cuts every map at its own Otsu threshold."""
    return Choice("Otsu's threshold of each map, no boxes", lambda prepared: otsu_cut(histogram(prepared)))


def otsu_of_data_set(prepared: Iterable[np.ndarray]) -> Choice:
    """Return Otsu's threshold of all maps together, each in fractions of its maximum.

    >>> otsu_of_data_set([np.array([[0.0, 0.0, 1.0]])]).threshold
    0.5
    """
    counts = np.zeros(BINS, np.int64)
    for score_map in prepared:
        counts += histogram(score_map)
    threshold = otsu_cut(counts)
    return Choice("Otsu's threshold of all maps together, no boxes", lambda _: threshold, threshold)


def choose_on_val(source: BoxSource, images: Iterator[MapTruth], iou: float = 0.5) -> Choice:
    """Return the threshold with most hits on the val split; the middle one of several.

    Args:
        source: how a map becomes a box.
        images: maps and true boxes of the val split; images without a box are left out.
        iou: overlap that makes a hit.

    Raises:
        DataError: no image has a box.
    """
    thresholds = [number / THRESHOLDS for number in range(THRESHOLDS)]
    ious = [
        source.overlaps(source.prepare(each.score_map, each.size), thresholds, each.truth, each.size)
        for each in images
        if len(each.truth)
    ]
    if not ious:
        raise DataError("The val split has no box to choose a threshold by. Take threshold='otsu', or give a number.")
    table = np.stack(ious)
    place = choose_threshold(table, iou)
    hits = float(hit_rates(table, iou)[place])
    threshold = thresholds[place]
    rule = f"{threshold:g}, most hits (IoU >= {iou:g}) on the boxes of the val split"
    return Choice(rule, lambda _: threshold, threshold, hits, len(ious))
