"""What is said of all boxes where nobody has drawn a true one: doubt, a verdict, and what to check next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from wsolkit.errors import printable
from wsolkit.evaluation import Judged, Verdict, box_doubt, verdict_of
from wsolkit.files import write_text
from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.inference.scale_boxes import scale_boxes
from wsolkit.labelling.state import NEXT

__all__ = ["add_doubts", "judge", "write_next"]


def add_doubts(result: ImageResult, mirrored: ImageResult | None, threshold: float) -> None:
    """Put into each box of a photograph how doubtful it is.

    Args:
        result: the photograph, with its maps.
        mirrored: its mirror image with its maps, or None.
        threshold: where the maps were cut.
    """
    for number, found in enumerate(result.boxes):
        score_map = result.maps[found.class_index]
        height, width = score_map.shape
        inside = scale_boxes(np.array([found.box]), result.size, (width, height))[0]
        other = None if mirrored is None else mirrored.maps.get(found.class_index)
        flipped = None if other is None else np.ascontiguousarray(other[:, ::-1])
        doubt = box_doubt(score_map, inside, threshold, mirror_map=flipped)
        result.boxes[number] = found._replace(doubt=round(doubt, 6))


def judge(records: Iterable[ImageResult | Failure], findings: Mapping[str, float]) -> Verdict | None:
    """Return the verdict on all boxes; None where there is no photograph.

    Args:
        records: the photographs that nobody has checked.
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
    """Write the names of the photographs that nobody has checked, the most doubtful first, those without a box before.

    Returns:
        The file.
    """
    worst = {
        each.image_id: max((found.doubt or 0.0 for found in each.boxes), default=2.0)
        for each in records
        if isinstance(each, ImageResult)
    }
    names = sorted(worst, key=lambda name: -worst[name])
    write_text(out / NEXT, "".join(f"{printable(name)}\n" for name in names))
    return out / NEXT
