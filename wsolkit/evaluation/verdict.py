"""What can be said of a whole set of found boxes where no true box is known.

Tried on 19 sets whose boxes are known, with C2AM's maps and class maps at their label-free thresholds; 14 verdicts were
right. "No better" for exchanged regions, random maps and one blob for all (0 to 20 % of the boxes hit at IoU .5, a
centred box 55 to 60). "Check" for defects of magnetic tiles (44 to 46 of 47; 9 to 13 % hit), PASCAL VOC's photographs
of single objects (26 of 70, half of which missed; of the others 7 %) and of several (of the others 36 % missed). "Good"
or "check" with a few for validation birds of CUB-200-2011 and draws of 72 and 237 birds of six classes; right for five
of nine with 79 to 91 % hit, too kind for four with 74 to 79 % (a centred box 46 to 57). Maps of other photographs than
those they are said to be of were not noticed. Two more sets, judged by eye: "good" was right for 122 pictures of
dolphins and seahorses; "no better" was wrong for 270 photographs of animals of seven kinds, by "mean doubt": some three
of four boxes were right, and most of the doubtful ones were not.

Conventions: boxes are x0 y0 x1 y1 as fractions of the image, half open; each image's first box is its best. Chance is
the overlap of an image's box with those of other images: what a box that never looks would reach against these boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from wsolkit.errors import DataError, ShapeError
from wsolkit.evaluation.baselines import CENTRE_SIDE
from wsolkit.evaluation.checks import checked_boxes
from wsolkit.evaluation.overlap import box_iou, paired_iou

__all__ = ["DOUBTFUL", "Judged", "Verdict", "VerdictKind", "verdict_of"]

VerdictKind = Literal["good", "check", "no better"]

DOUBTFUL = 0.2
"""From which doubt on a box is to be looked at; about half of these missed on the photographs doubt was fitted on."""

FEW = 0.05
"""How many of the images may be doubtful, as a share, where boxes look good."""

TRIED = "Where this was tried, 7 to 25 % of the other boxes missed all the same."
"""What remains wrong among boxes that are not doubtful; see the module."""

OTHERS = 10
"""With how many other images' boxes each is compared."""

WHOLE, TINY = 0.9, 0.004
"""From which share of the image on a box says nothing, and below which it is hardly an object."""

APART = 0.15
"""Below which overlap with the boxes of other images a centred box would not do either, however doubtful they are."""

WORST = {
    "without a box": (0.3, "many photographs have no box"),
    "mean doubt": (0.28, "most boxes change with the cut or with the mirror image"),
    "alike": (0.7, "the boxes of all photographs are nearly the same box"),
    "whole image": (0.4, "many boxes are the whole photograph"),
    "tiny": (0.4, "many boxes are tiny"),
    "members differ": (0.4, "maps learnt from other beginnings give other boxes"),
    "vote against": (0.2, "it is not clear which region is the object"),
}
"""From which fact on boxes are taken to be no better than a centred box, and why; all that hold are told."""


class Judged(NamedTuple):
    """The boxes of one image.

    Attributes:
        image_id: its name.
        boxes: (N, 4) as fractions of the image, best first.
        doubts: (N,) the doubt of each; see ``box_doubt``.
        members: mean overlap of the best box with those of an ensemble's members (``map_agreement``); None for one map.
    """

    image_id: str
    boxes: np.ndarray
    doubts: np.ndarray
    members: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What the boxes of a set look like.

    Attributes:
        kind: ``good``, ``check`` (some first) or ``no better`` than a centred box.
        line: the same as a sentence or two.
        check: the images to look at first, the most doubtful first.
        facts: what it was told from, by name: shares and mean overlaps in [0, 1].
    """

    kind: VerdictKind
    line: str
    check: tuple[str, ...] = ()
    facts: dict[str, float] = field(default_factory=dict)


def verdict_of(images: Sequence[Judged], *, vote_margin: float | None = None) -> Verdict:
    """Say whether the boxes of a set can be used, from the boxes and their doubts alone.

    Args:
        images: the boxes of each image; images without any are doubtful.
        vote_margin: share of the photographs that agree with the vote on what is the object, for methods that vote.

    Raises:
        DataError: there is no image, or a box is wrong.
        ShapeError: boxes and doubts differ in number.

    >>> boxes = np.array([[0.2, 0.3, 0.6, 0.7]])
    >>> found = [Judged("a.jpg", boxes, np.array([0.1])), Judged("b.jpg", boxes + 0.1, np.array([0.3]))]
    >>> verdict_of(found).line
    'Check this 1 of 2 photographs first. Where this was tried, 7 to 25 % of the other boxes missed all the same.'
    """
    if not images:
        raise DataError("There is no image to judge the boxes of.")
    worst = {each.image_id: worst_doubt(each) for each in images}
    facts = facts_of(images)
    facts["mean doubt"] = float(np.mean(list(worst.values())))
    if vote_margin is not None:
        facts["vote against"] = 1 - vote_margin
    names = sorted(worst, key=lambda name: (-worst[name], name))
    check = tuple(name for name in names if worst[name] >= DOUBTFUL)
    facts["doubtful"] = len(check) / len(images)
    holding = [
        name
        for name, (most, _) in WORST.items()
        if facts.get(name, 0.0) > most and not (name == "mean doubt" and facts["alike"] < APART)
    ]
    boxed = mean_of([worst[each.image_id] for each in images if len(each.boxes)])
    if "without a box" in holding and "mean doubt" in holding and boxed <= WORST["mean doubt"][0]:
        holding.remove("mean doubt")  # it is that of the photographs without a box, which are told of already
    if holding:
        reasons = "; ".join(WORST[name][1] for name in holding)
        line = (
            f"The boxes may be no better than a centred box would be: {reasons}. Look at some; where they are wrong, "
            "try another threshold, another method or more photographs."
        )
        return Verdict("no better", line, check, facts)
    first = f"Check {'this' if len(check) == 1 else 'these'} {len(check)} of {len(images)} photographs first"
    if len(check) > FEW * len(images):
        return Verdict("check", f"{first}.{f' {TRIED}' if len(check) < len(images) else ''}", check, facts)
    return Verdict("good", f"The boxes look good. {f'{first}. ' if check else ''}{TRIED}", check, facts)


def worst_doubt(image: Judged) -> float:
    """Return the doubt of an image's most doubtful box; 1 where it has none.

    Raises:
        ShapeError: boxes and doubts differ in number.
    """
    if np.shape(image.doubts) != (len(image.boxes),):
        raise ShapeError(
            f"Image {image.image_id!r} has {len(image.boxes)} boxes, but doubts of shape {np.shape(image.doubts)}. "
            "Give one for each box."
        )
    return float(np.max(image.doubts)) if len(image.boxes) else 1.0


def facts_of(images: Sequence[Judged]) -> dict[str, float]:
    """Return what the boxes themselves tell: shares of images, and mean overlaps of their best boxes.

    >>> facts_of([Judged("a", np.array([[0, 0, 1, 1]]), np.zeros(1)), Judged("b", np.zeros((0, 4)), np.zeros(0))])
    {'without a box': 0.5, 'whole image': 1.0, 'tiny': 0.0, 'alike': 0.0, 'overlap with the centre box': 0.5}
    """
    having = [each for each in images if len(each.boxes)]
    boxes = checked_boxes([each.boxes[0] for each in having], "boxes", (1, 1)) if having else np.zeros((0, 4))
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    middle = np.array([[(1 - CENTRE_SIDE) / 2] * 2 + [(1 + CENTRE_SIDE) / 2] * 2])
    others = [paired_iou(boxes, np.roll(boxes, shift, 0)) for shift in range(1, min(len(boxes), OTHERS + 1))]
    facts = {
        "without a box": 1 - len(having) / len(images),
        "whole image": mean_of(areas >= WHOLE),
        "tiny": mean_of(areas < TINY),
        "alike": mean_of(others),
        "overlap with the centre box": round(mean_of(box_iou(boxes, middle)), 6),
    }
    agreeing = [each.members for each in images if each.members is not None]
    return facts | ({"members differ": 1 - mean_of(agreeing)} if agreeing else {})


def mean_of(values: object) -> float:
    """Return the mean of numbers; 0 where there are none."""
    found = np.asarray(values, np.float64)
    return float(found.mean()) if found.size else 0.0
