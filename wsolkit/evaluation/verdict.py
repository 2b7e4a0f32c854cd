"""What can be said of a whole set of found boxes where no true box is known.

Conventions: boxes are x0 y0 x1 y1 as fractions of the image, half open. The centre box is the middle half of the area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from wsolkit.errors import DataError
from wsolkit.evaluation.baselines import CENTRE_SIDE
from wsolkit.evaluation.checks import checked_boxes
from wsolkit.evaluation.overlap import box_iou

__all__ = ["Judged", "Verdict", "VerdictKind", "verdict_of"]

VerdictKind = Literal["good", "check", "no better"]

WHOLE, TINY = 0.9, 0.01
"""From which share of the image on a box says nothing, and below which it is hardly an object."""

DOUBTFUL = 0.5
"""From which doubt on a box is to be looked at."""


class Judged(NamedTuple):
    """The boxes of one image.

    Attributes:
        image_id: its name.
        boxes: (N, 4) as fractions of the image.
        doubts: (N,) the doubt of each; see ``box_doubt``.
        members: mean overlap of the boxes with those of the members' maps; None for one map.
    """

    image_id: str
    boxes: np.ndarray
    doubts: np.ndarray
    members: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What the boxes of a set look like.

    Attributes:
        kind: ``good``, ``check`` (some first) or ``no better`` than a centre box.
        line: the same as a sentence.
        check: the images to look at first, the most doubtful first.
        facts: what it was told from, by name; shares in [0, 1].
    """

    kind: VerdictKind
    line: str
    check: tuple[str, ...] = ()
    facts: dict[str, float] = field(default_factory=dict)


def verdict_of(images: Sequence[Judged], *, vote_margin: float | None = None) -> Verdict:
    """Say whether the boxes of a set can be used, from the boxes and their doubts alone.

    Args:
        images: the boxes of each image; images without any count as empty.
        vote_margin: share of the photographs that agree with the vote on what is the object, for methods that vote.

    Raises:
        DataError: there is no image, or a box is wrong.
        ShapeError: boxes and doubts differ in number.

    >>> boxes = np.array([[0.2, 0.3, 0.6, 0.7]])
    >>> verdict_of([Judged("a.jpg", boxes, np.array([0.1])), Judged("b.jpg", boxes + 0.1, np.array([0.7]))]).line
    'Check 1 of 2 photographs first (doubtful first in every list).'
    """
    if not images:
        raise DataError("There is no image to judge the boxes of.")
    centre = np.array([[(1 - CENTRE_SIDE) / 2] * 2 + [(1 + CENTRE_SIDE) / 2] * 2])
    first = [each for each in images if len(each.boxes)]
    boxes = checked_boxes([each.boxes[0] for each in first], "boxes", (1, 1)) if first else np.zeros((0, 4))
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    worst = {each.image_id: float(np.max(each.doubts, initial=0.0)) if len(each.boxes) else 1.0 for each in images}
    check = sorted((name for name, doubt in worst.items() if doubt >= DOUBTFUL), key=lambda name: -worst[name])
    facts = {
        "without a box": 1 - len(first) / len(images),
        "whole image": float((areas >= WHOLE).mean()) if first else 0.0,
        "tiny": float((areas < TINY).mean()) if first else 0.0,
        "overlap with the centre box": float(box_iou(boxes, centre).mean()) if first else 0.0,
        "mean doubt": float(np.mean(list(worst.values()))),
        "doubtful": len(check) / len(images),
    }
    agreeing = [each.members for each in images if each.members is not None]
    if agreeing:
        facts["members' agreement"] = float(np.mean(agreeing))
    if vote_margin is not None:
        facts["vote"] = vote_margin
    if facts["mean doubt"] > DOUBTFUL:
        return Verdict("no better", "The boxes are no better than a centred box.", tuple(check), facts)
    if check:
        line = f"Check {len(check)} of {len(images)} photographs first (doubtful first in every list)."
        return Verdict("check", line, tuple(check), facts)
    return Verdict("good", "The boxes look good.", (), facts)
