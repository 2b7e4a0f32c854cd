"""What is said of all boxes where nobody has drawn a true one: doubt, a verdict, and what to check next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np

from wsolkit.errors import printable
from wsolkit.evaluation import Judged, Verdict, box_doubt, verdict_of
from wsolkit.evaluation.map_boxes import component_boxes
from wsolkit.evaluation.overlap import box_iou
from wsolkit.files import write_text
from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.inference.scale_boxes import scale_boxes
from wsolkit.labelling.state import NEXT, SAMPLE

__all__ = ["add_doubts", "judge", "write_next", "write_sample"]

DRAWN = 50
"""How many photographs are drawn at random, to be looked at for an honest number."""

SAME = 0.5
"""Overlap (IoU) from which a refined box is taken for one of the map."""


def add_doubts(result: ImageResult, mirrored: ImageResult | None, threshold: float) -> None:
    """Put into each box of a photograph how doubtful it is.

    Where a refiner has moved a box, it is the map's own box that tells: its neighbours are those of other cuts.

    Args:
        result: the photograph, with its maps.
        mirrored: its mirror image with its maps, or None.
        threshold: where the maps were cut.
    """
    for number, found in enumerate(result.boxes):
        score_map = result.maps[found.class_index]
        height, width = score_map.shape
        inside = scale_boxes(np.array([found.box]), result.size, (width, height))[0]
        if found.mask is not None:
            inside = box_of_map(score_map, inside, threshold)
        other = None if mirrored is None else mirrored.maps.get(found.class_index)
        flipped = None if other is None else np.ascontiguousarray(other[:, ::-1])
        doubt = box_doubt(score_map, inside, threshold, mirror_map=flipped)
        result.boxes[number] = found._replace(doubt=round(doubt, 6))


def box_of_map(score_map: np.ndarray, box: np.ndarray, threshold: float) -> np.ndarray:
    """Return the box (4,) of the component that a box was refined from; the box itself where none overlaps it by half.

    >>> score_map = np.zeros((8, 8))
    >>> score_map[2:6, 2:6] = 1
    >>> box_of_map(score_map, np.array([2.0, 2, 6, 5]), 0.5).tolist()
    [2.0, 2.0, 6.0, 6.0]
    >>> box_of_map(score_map, np.array([5.0, 5, 8, 8]), 0.5).tolist()
    [5.0, 5.0, 8.0, 8.0]
    """
    found = np.asarray(component_boxes(score_map, [threshold])[0], np.float64)
    overlaps = box_iou(box, found).ravel()
    return found[overlaps.argmax()] if overlaps.max(initial=0.0) >= SAME else box


def judge(records: Iterable[ImageResult | Failure], findings: Mapping[str, float]) -> Verdict | None:
    """Return the verdict on all boxes; None where there is no photograph.

    Args:
        records: the photographs that nobody has checked and that show one of the classes: each ought to have a box.
        findings: what the training says of itself, such as ``vote_margin``.
    """
    judged = []
    for each in records:
        if isinstance(each, ImageResult):
            boxes = np.array([found.box for found in each.boxes], np.float64).reshape(-1, 4)
            doubts = np.array([found.doubt or 0.0 for found in each.boxes])
            judged.append(Judged(each.image_id, scale_boxes(boxes, each.size, (1, 1)), doubts))
    return verdict_of(judged, vote_margin=findings.get("vote_margin")) if judged else None


def write_next(records: Iterable[ImageResult | Failure], out: Path) -> Path:
    """Write the photographs to be checked, doubt and name in a line, the most doubtful first.

    Those without a box, and those with another box than the one that was rejected, come before with a doubt of 1.

    Args:
        records: the photographs that nobody has checked and that show one of the classes.
        out: the folder of the labels.

    Returns:
        The file.
    """
    worst = {
        each.image_id: max((found.doubt or 0.0 for found in each.boxes if not each.refused), default=1.0)
        for each in records
        if isinstance(each, ImageResult)
    }
    names = sorted(worst, key=lambda name: -worst[name])
    write_text(out / NEXT, "".join(f"{worst[name]:.2f}\t{printable(name)}\n" for name in names))
    return out / NEXT


def write_sample(names: Iterable[str], seed: int, out: Path) -> tuple[list[str], Path]:
    """Write the names of photographs that are drawn at random, to be looked at whatever their doubt.

    Each has its place by a digest of its name and the seed, so that others that come or go do not change the order of
    the rest.

    Args:
        names: all photographs that show one of the classes.
        seed: another one draws others.
        out: the folder of the labels.

    Returns:
        the names in the order they were drawn in, and the file.
    """
    places = {name: sha256(f"{seed} {name}".encode("utf-8", "surrogatepass")).digest() for name in names}
    drawn = sorted(places, key=lambda name: places[name])[:DRAWN]
    write_text(out / SAMPLE, "".join(f"{printable(name)}\n" for name in drawn))
    return drawn, out / SAMPLE
