"""How boxes miss: part of the object, more than the object, several objects in one box, or somewhere else.

Conventions: boxes are x0 y0 x1 y1 in fractions of the image's width and height, half open. A trial is one (image,
class) pair with the box the map gave and the true boxes of the class. With I the intersection with the true box of best
IoU, P the box and G the true box, a box with IoU below the wanted one is ``multi-instance`` where it covers more than
.3 of two or more true boxes, ``part`` where I / P > .5, ``more`` where I / G > .7 (of both, the larger ratio decides),
``miss`` where it touches no true box, and else ``other``. The bounds are those of Gao et al., TS-CAM, ICCV 2021.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from wsolkit.errors import DataError
from wsolkit.evaluation.overlap import box_iou, shared_area

__all__ = ["FAILURES", "HIT", "SIZES", "Trial", "by_size", "failure_of", "failure_shares", "iou_histogram"]

HIT, PART, MORE, MULTIPLE, MISS, OTHER = "hit", "part", "more", "multi-instance", "miss", "other"
FAILURES = (HIT, PART, MORE, MULTIPLE, MISS, OTHER)
"""Every outcome of a trial, in the order of tables."""

SIZES = {"under 10 %": 0.1, "10 to 25 %": 0.25, "25 to 50 %": 0.5, "over 50 %": 1.0}
"""Object sizes by the upper end of their share of the image."""


@dataclass(frozen=True)
class Trial:
    """One (image, class) pair at the threshold that counts.

    Attributes:
        image_id: the image's name.
        label: the class.
        box: x0, y0, x1, y1 in fractions of the image; all 0 where there is no box.
        truth: the true boxes, likewise.
        iou: best overlap with a true box, by the metric's convention.
        outcome: one of ``FAILURES``.
        right_class: whether the best logit is the label; None without logits.
    """

    image_id: str
    label: int
    box: tuple[float, ...]
    truth: tuple[tuple[float, ...], ...]
    iou: float
    outcome: str
    right_class: bool | None = None

    @property
    def area(self) -> float:
        """Share of the image that the largest true box takes."""
        return max((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in self.truth)

    def as_dict(self) -> dict[str, Any]:
        """Return the trial as plain data for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """Return the trial that ``as_dict`` gave.

        Raises:
            DataError: the content is something else.
        """
        try:
            truth = tuple(tuple(map(float, box)) for box in content["truth"])
            return cls(**{**content, "box": tuple(map(float, content["box"])), "truth": truth})
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"This is no trial of an evaluation: {str(content)[:80]} ({error}).") from error


def failure_of(box: np.ndarray, truth: np.ndarray, hit: bool) -> str:
    """Return how a box (4,) fails the true boxes (M, 4), or ``hit``.

    >>> failure_of(np.array([0, 0, 0.5, 0.5]), np.array([[0, 0, 1.0, 1]]), hit=False)
    'part'
    >>> failure_of(np.array([0, 0, 1.0, 1]), np.array([[0, 0, 0.5, 0.5]]), hit=False)
    'more'
    """
    if hit:
        return HIT
    box, truth = np.asarray(box, np.float64), np.asarray(truth, np.float64).reshape(-1, 4)
    shared = shared_area(box[None], truth)[0]
    if not len(truth) or shared.max() <= 0:
        return MISS
    covered = shared / np.maximum((truth[:, 2:] - truth[:, :2]).prod(-1), 1e-12)
    if (covered > 0.3).sum() >= 2:
        return MULTIPLE
    best = int(box_iou(box[None], truth)[0].argmax())
    inside = shared[best] / max((box[2:] - box[:2]).prod(), 1e-12)
    part, more = inside > 0.5, covered[best] > 0.7
    if part and (not more or inside >= covered[best]):
        return PART
    return MORE if more else OTHER


def failure_shares(trials: Sequence[Trial]) -> dict[str, float]:
    """Return the share of each outcome in percent; nothing without trials."""
    counts = Counter(trial.outcome for trial in trials)
    return {outcome: 100 * counts[outcome] / len(trials) for outcome in FAILURES} if trials else {}


def by_size(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """Return the trials by the size of their largest object, smallest size first; sizes without one are empty."""
    found: dict[str, list[Trial]] = {name: [] for name in SIZES}
    names, ends = list(SIZES), np.array(list(SIZES.values()))
    for trial in trials:
        found[names[min(int(np.searchsorted(ends, trial.area, side="right")), len(names) - 1)]].append(trial)
    return found


def iou_histogram(trials: Sequence[Trial], bins: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return how many trials have an IoU in each of ``bins`` equal intervals of [0, 1], and the bounds (bins + 1,)."""
    return np.histogram([trial.iou for trial in trials], bins=bins, range=(0, 1))
