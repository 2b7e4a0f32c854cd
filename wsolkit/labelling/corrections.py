"""What checked boxes teach about the others: how the machine's boxes are off, learnt from features of the photographs.

The regressor is linear, in closed form, and class-agnostic, as the second step of PSOL (Zhang et al., CVPR 2020): it is
trained on the boxes of all photographs, checked ones with their true box, the others beside them with the machine's.
Unlike PSOL's it tells the correction of the machine's box and not the box: of few checked photographs the one can be
learnt and the other cannot. It is used only where it betters the boxes of checked photographs that it has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from wsolkit.errors import ShapeError
from wsolkit.evaluation.overlap import box_iou, paired_iou
from wsolkit.features.cached import CachedFeatures
from wsolkit.formats.found_boxes import Failure, FoundBox, ImageResult

__all__ = ["FEWEST", "Corrected", "correct_boxes", "pooled_levels", "pooled_rows", "taught"]

FEWEST = 20
"""Of fewer checked boxes nothing is learnt."""
GRID = 2
"""Features are averaged over so many parts of the photograph, across and down."""
RIDGE = 0.3
"""How strongly weights are kept small, in units of the features' own mean square."""
BESIDE, SHARE = 0.03, 0.35
"""The weight of a box of the machine's where a checked one has 1, and the most that all of them have beside those."""
MOST = 1000
"""How many boxes of the machine's stand beside: the time grows with their square."""
FOLDS = 5
BATCH = 64


@dataclass(frozen=True)
class Corrected:
    """Boxes after the checked ones have taught how they are off.

    Attributes:
        boxes: (N, 4), x0 y0 x1 y1 in fractions of the photographs; as they were where ``used`` is False.
        checked: how many checked boxes there were to learn from.
        used: whether boxes were changed.
        before: mean IoU with the checked boxes, in percent, before.
        after: the same after, each corrected by a regressor that has not seen it; NaN where there were too few.
    """

    boxes: np.ndarray
    checked: int
    used: bool
    before: float
    after: float

    @property
    def line(self) -> str:
        """What was done, in a sentence.

        >>> Corrected(np.zeros((0, 4)), 30, True, 61.25, 65.5).line
        'Boxes were corrected as 30 checked ones teach: mean IoU with them .61 before and .66 after.'
        """
        if self.checked < FEWEST:
            return f"{self.checked} checked boxes teach nothing yet about the others: {FEWEST} are needed."
        before, after = (f"{share / 100:.2f}".removeprefix("0") for share in (self.before, self.after))
        numbers = f"mean IoU with them {before} before and {after} after"
        if self.used:
            return f"Boxes were corrected as {self.checked} checked ones teach: {numbers}."
        return (
            f"Boxes were left as they are: corrections learnt from {self.checked} checked ones, and tried on checked "
            f"photographs that they were not learnt from, do not help surely: {numbers}."
        )


def pooled_levels(levels: Mapping[str, Tensor]) -> Tensor:
    """Return the features (B, D) of photographs: every level (B, C, h, w) averaged over the parts of a grid.

    >>> pooled_levels({"a": torch.ones(2, 3, 5, 5), "b": torch.ones(2, 1, 4, 4)}).shape
    torch.Size([2, 16])
    """
    return torch.cat([F.adaptive_avg_pool2d(level.float(), GRID).flatten(1) for level in levels.values()], 1)


def correct_boxes(
    features: np.ndarray,
    boxes: np.ndarray,
    checked: Sequence[int],
    truth: np.ndarray,
    groups: Sequence[int] | None = None,
) -> Corrected:
    """Return boxes that are corrected as the checked ones among them teach, where that helps.

    It helps where the mean IoU of checked boxes, corrected by a regressor that was trained without their photographs
    (five folds), grows by more than one standard error.

    Args:
        features: (N, D), of the photograph of each box; see ``pooled_levels``.
        boxes: (N, 4), the machine's, x0 y0 x1 y1 in fractions of the photographs.
        checked: which of them have a true box.
        truth: (n, 4), the true boxes, likewise.
        groups: the photograph of each box; by default each is in one of its own.

    Raises:
        ShapeError: there are not as many features as boxes, or as many true boxes as checked ones.
    """
    boxes, truth = np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(truth, np.float64).reshape(-1, 4)
    rows = np.asarray(checked, np.int64)
    if len(features) != len(boxes) or len(truth) != len(rows):
        raise ShapeError(
            f"There should be features for each of {len(boxes)} boxes and a true box for each of {len(rows)} checked "
            f"ones, but got {len(features)} and {len(truth)}."
        )
    overlaps = paired_iou(boxes[rows], truth)
    before = 100 * float(overlaps.mean()) if len(rows) else float("nan")
    if len(rows) < FEWEST:
        return Corrected(boxes, len(rows), False, before, float("nan"))
    inputs = standardized(features, boxes)
    beside = np.setdiff1d(np.arange(len(boxes)), rows)
    beside = np.random.default_rng(0).permutation(beside)[:MOST]
    own = np.arange(len(boxes)) if groups is None else np.asarray(groups)
    photographs = np.random.default_rng(0).permutation(np.unique(own[rows]))
    held = np.zeros(len(rows))
    for fold in range(FOLDS):
        out = np.isin(own[rows], photographs[fold::FOLDS])
        moved = corrections(inputs, boxes, rows[~out], truth[~out], beside, rows[out])
        held[out] = paired_iou(np.clip(boxes[rows[out]] + moved, 0, 1), truth[out])
    gain = held - overlaps
    used = bool(gain.mean() > gain.std() / np.sqrt(len(gain)))
    if used:
        moved = np.clip(boxes + corrections(inputs, boxes, rows, truth, beside, np.arange(len(boxes))), 0, 1)
        whole = (moved[:, 2:] > moved[:, :2]).all(1, keepdims=True)
        boxes = np.where(whole, moved, boxes)
    return Corrected(boxes, len(rows), used, before, 100 * float(held.mean()))


def standardized(features: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the inputs (N, D + 4) of the regressor: features and boxes, each half of their mean square of 1."""
    features = np.asarray(features, np.float64)
    parts = [features / (features.std(0) + 1e-6), boxes / (boxes.std(0).mean() + 1e-9)]
    return np.concatenate([(part - part.mean(0)) / np.sqrt(2 * part.shape[1]) for part in parts], 1)


def corrections(
    inputs: np.ndarray, boxes: np.ndarray, rows: np.ndarray, truth: np.ndarray, beside: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    """Return the corrections (M, 4) of the boxes that are asked for, by ridge regression in its dual form.

    Args:
        inputs: (N, D), of all boxes.
        boxes: (N, 4), the machine's.
        rows: the checked ones to learn from.
        truth: their true boxes.
        beside: those that stand beside as they are.
        asked: the boxes whose corrections are wanted.
    """
    weight = min(BESIDE, SHARE * len(rows) / max(len(beside), 1))
    known = np.concatenate([rows, beside])
    weights = np.concatenate([np.ones(len(rows)), np.full(len(beside), weight)])
    wanted = np.zeros((len(known), 4))
    wanted[: len(rows)] = truth - boxes[rows]
    mean = weights @ wanted / weights.sum()
    kernel = inputs[known] @ inputs[known].T
    kernel[np.diag_indices_from(kernel)] += RIDGE / weights
    return inputs[asked] @ (inputs[known].T @ np.linalg.solve(kernel, wanted - mean)) + mean


def taught(
    results: Sequence[ImageResult | Failure], checked: Mapping[str, Sequence[FoundBox]], features: np.ndarray
) -> tuple[list[ImageResult | Failure], Corrected]:
    """Return results whose boxes are corrected as checked ones teach, where that helps, and what came of it.

    A checked box teaches by the machine's box of its class that it overlaps most, one to one. Boxes of checked
    photographs are corrected too; who has the checked ones puts those in their place.

    Args:
        results: what the machine found in each photograph.
        checked: the boxes of the photographs that a person has checked, by name.
        features: (len(results), D), of each photograph; see ``pooled_levels``.
    """
    found = {number: each for number, each in enumerate(results) if isinstance(each, ImageResult)}
    places = [(number, place) for number, each in found.items() for place in range(len(each.boxes))]
    boxes = [in_fractions(found[number], found[number].boxes[place].box) for number, place in places]
    groups = [number for number, _ in places]
    rows, truth = pairs(found, checked, {each: row for row, each in enumerate(places)})
    corrected = correct_boxes(np.asarray(features)[groups], np.array(boxes), rows, truth, groups)
    made = list(results)
    if corrected.used:
        moved = dict(zip(places, corrected.boxes.tolist(), strict=True))
        for number, each in found.items():
            now = [box._replace(box=in_pixels(each, moved[number, place])) for place, box in enumerate(each.boxes)]
            made[number] = replace(each, boxes=now)
    return made, corrected


def pairs(
    results: Mapping[int, ImageResult], checked: Mapping[str, Sequence[FoundBox]], rows: Mapping[tuple[int, int], int]
) -> tuple[list[int], np.ndarray]:
    """Return which boxes of the machine's have a checked one of their class, and that (n, 4), in fractions."""
    taken: list[int] = []
    truth: list[list[float]] = []
    for number, each in results.items():
        known = checked.get(each.image_id, ())
        if not known or not each.boxes:
            continue
        overlaps = box_iou(np.array([box.box for box in each.boxes]), np.array([box.box for box in known]))
        own, theirs = ([box.class_index for box in boxes] for boxes in (each.boxes, known))
        overlaps[np.not_equal.outer(own, theirs)] = 0
        while overlaps.max() > 0:
            place, best = divmod(int(overlaps.argmax()), overlaps.shape[1])
            taken.append(rows[number, place])
            truth.append(in_fractions(each, known[best].box))
            overlaps[place], overlaps[:, best] = 0, 0
    return taken, np.array(truth).reshape(-1, 4)


def pooled_rows(features: CachedFeatures) -> np.ndarray:
    """Return the features (N, D) of all photographs; zeros where one could not be read."""
    parts: list[tuple[list[int], np.ndarray]] = []
    for at in range(0, len(features), BATCH):
        good, known = features.readable(range(at, min(at + BATCH, len(features))))
        if known is not None:
            parts.append((good, pooled_levels(known.levels).numpy()))
    rows = np.zeros((len(features), parts[0][1].shape[1] if parts else 0), np.float32)
    for good, each in parts:
        rows[good] = each
    return rows


def in_fractions(result: ImageResult, box: Sequence[float]) -> list[float]:
    """Return a box in fractions of its photograph."""
    return [side / whole for side, whole in zip(box, result.size * 2, strict=True)]


def in_pixels(result: ImageResult, box: Sequence[float]) -> tuple[float, float, float, float]:
    """Return a box in pixels of its photograph."""
    x0, y0, x1, y1 = (side * whole for side, whole in zip(box, result.size * 2, strict=True))
    return x0, y0, x1, y1
