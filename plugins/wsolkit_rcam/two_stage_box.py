"""A threshold for each image: the box whose extreme points look equally like object and background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np

from wsolkit import BoxExtractor, Panel, ScoredBoxes, ShapeError
from wsolkit.components import largest_box, largest_contour

__all__ = ["TwoStageBox", "extreme_cells", "seed_variances"]

FEWEST_POINTS = 4
"""Points of a contour that make a box."""
ROUNDING = 1e-12
"""Variances that differ by less are equal: the same seeds among others give other last digits."""


def extreme_cells(contour: np.ndarray, size: tuple[int, int], grid: tuple[int, int]) -> np.ndarray:
    """Return the cells under the leftmost, rightmost, topmost and lowest points of a contour, each cell once.

    Several points may be equally far out; all count.

    Args:
        contour: (N, 2) points x y in pixels of the map.
        size: (H, W) of the map.
        grid: (h, w) of the features.

    Returns:
        (S,) numbers of cells, row by row, rising.

    >>> extreme_cells(np.array([[0, 0], [3, 0], [3, 3], [0, 3]]), size=(4, 4), grid=(2, 2)).tolist()
    [0, 1, 2, 3]
    """
    low, high = contour.min(0), contour.max(0)
    points = contour[((contour == low) | (contour == high)).any(1)]  # (S, 2)
    columns = points[:, 0] * grid[1] // size[1]
    rows = points[:, 1] * grid[0] // size[0]
    return np.unique(rows * grid[1] + columns)


def mean_similarities(
    features: np.ndarray, seeds: Sequence[np.ndarray], eps: float = 1e-8
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean cosine of each of P cells with L sets of seeds, (P, L), and where it is known, (P, L) bool.

    A cell is not compared with itself: where it is a seed, the mean is over the other seeds, and of a single seed it is
    not known. All sets come from one matrix of cosines between cells.

    Args:
        features: (C, h, w), the last features of the image.
        seeds: L arrays of cell numbers, none empty.
        eps: least length of a feature; a feature of zeros has the cosine 0 with all.
    """
    cells = features.reshape(len(features), -1).T.astype(np.float64)  # (P, C)
    cells = cells / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), eps)
    is_seed = np.zeros((len(cells), len(seeds)))
    for number, chosen in enumerate(seeds):
        is_seed[chosen, number] = 1
    own = (cells * cells).sum(1, keepdims=True)  # 1, or 0 for a feature of zeros
    sums = cells @ (cells.T @ is_seed) - own * is_seed  # (P, L)
    counts = is_seed.sum(0) - is_seed
    known = counts > 0
    return np.divide(sums, counts, out=np.zeros_like(sums), where=known), known


def seed_variances(features: np.ndarray, seeds: Sequence[np.ndarray], eps: float = 1e-8) -> np.ndarray:
    """Return, for each set of seeds, the variance over cells of the mean cosine with its seeds (RCAM, eq. 22).

    Args:
        features: (C, h, w), the last features of the image.
        seeds: L arrays of cell numbers, none empty; a single seed is left out of its variance.
        eps: least length of a feature; see ``mean_similarities``.

    Returns:
        (L,) float64.

    >>> features = np.array([[[1.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]])  # cells a, a, b
    >>> seed_variances(features, [np.array([0])]).tolist()  # cosines of the first cell with the others: 1, 0
    [0.25]
    """
    means, known = mean_similarities(features, seeds, eps)
    number_known = np.maximum(known.sum(0), 1)
    centre = means.sum(0) / number_known
    return (np.square(means - centre) * known).sum(0) / number_known


class Candidate(NamedTuple):
    """A box of one threshold: x0 y0 x1 y1 in pixels of the map, half open, and the cells under its extreme points."""

    threshold: float
    box: tuple[int, int, int, int]
    seeds: np.ndarray


class TwoStageBox(BoxExtractor):
    """Tries thresholds and takes the box whose border tells least between object and background (RCAM).

    For each threshold the largest component gives a box, and the features under its extreme points are seeds. A seed on
    the border of the object is as similar to the object as to the background: of all boxes the one wins whose mean
    similarity map has the least variance. Of equal ones the lowest threshold wins.

    Args:
        step: distance of the thresholds, which are fractions of the map's maximum: step, 2 step, ... below 1.
        whole: boxes that cover this share of the image or more are no candidates; 1.01 keeps them all.
        fewest_cells: boxes smaller than so many cells of the features are no candidates.
        zero: try the threshold 0 as well, as the thesis does; after min-max its box is the whole image.
        threshold: for maps without a candidate.

    Raises:
        ConfigError: a number is out of range.
    """

    chooses_threshold: ClassVar[bool] = True

    def __init__(
        self,
        step: Annotated[float, "in (0, 1)"] = 0.05,
        whole: Annotated[float, "above 0"] = 0.95,
        fewest_cells: Annotated[float, "at least 0"] = 4,
        zero: bool = False,
        threshold: float = 0.2,
    ) -> None:
        super().__init__(threshold)
        self.step = step
        self.whole = whole
        self.fewest_cells = fewest_cells
        self.zero = zero

    @property
    def thresholds(self) -> list[float]:
        """The thresholds tried, rising."""
        count = int(np.ceil(1 / self.step - 1e-9))
        return [round(self.step * number, 10) for number in range(0 if self.zero else 1, count)]

    def __call__(self, score_map: np.ndarray, features: np.ndarray | None = None) -> ScoredBoxes:
        """Return one box (1, 4) with the map's mean inside, or none (0, 4) for an empty map.

        Raises:
            ShapeError: there are no features (C, h, w) to compare.
        """
        return self.with_notes(score_map, features)[0]

    def with_notes(
        self, score_map: np.ndarray, features: np.ndarray | None = None
    ) -> tuple[ScoredBoxes, Mapping[str, Any]]:
        """Return the box, and what the second stage decided.

        The notes are the ``candidates``, each with its ``threshold``, ``variance`` and ``box`` (x0 y0 x1 y1 in
        fractions of the image), and the ``chosen`` threshold; where there was no candidate, the extractor's own.

        Raises:
            ShapeError: there are no features (C, h, w) to compare.
        """
        box = largest_box(score_map, self.threshold)
        if box is None:
            return ScoredBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)), {}
        candidates = self.candidates(score_map, checked_features(features))
        variances = seed_variances(checked_features(features), [each.seeds for each in candidates])
        chosen = self.threshold
        if candidates:
            best = candidates[least(variances)]
            chosen, box = best.threshold, best.box
        told = [
            {"threshold": each.threshold, "variance": float(f"{variance:.6g}"), "box": fractions(each.box, score_map)}
            for each, variance in zip(candidates, variances, strict=True)
        ]
        x0, y0, x1, y1 = box
        found = ScoredBoxes(np.array([box], np.float32), np.array([score_map[y0:y1, x0:x1].mean()], np.float32))
        return found, {"candidates": told, "chosen": chosen}

    def candidates(self, score_map: np.ndarray, features: np.ndarray) -> list[Candidate]:
        """Return what is left of all thresholds, rising."""
        height, width = score_map.shape
        grid = (features.shape[1], features.shape[2])
        smallest = self.fewest_cells * height * width / (grid[0] * grid[1])
        found = []
        for threshold in self.thresholds:
            contour = largest_contour(score_map, threshold)
            if contour is None or len(contour) < FEWEST_POINTS:
                continue
            (x0, y0), (x1, y1) = contour.min(0).tolist(), contour.max(0).tolist()
            box = (x0, y0, x1 + 1, y1 + 1)
            area = (box[2] - x0) * (box[3] - y0)
            if smallest <= area < self.whole * height * width:
                found.append(Candidate(threshold, box, extreme_cells(contour, (height, width), grid)))
        return found

    def panels(self, score_map: np.ndarray, features: np.ndarray | None = None) -> Sequence[Panel]:
        """Return the mean similarity map of each candidate with its box, threshold and variance (figure 31)."""
        known = checked_features(features)
        candidates = self.candidates(score_map, known)
        seeds = [each.seeds for each in candidates]
        means, variances = mean_similarities(known, seeds)[0], seed_variances(known, seeds)
        chosen = least(variances) if candidates else -1
        return [
            Panel(
                f"{'chosen' if number == chosen else 'cut'} {each.threshold:g}: variance {variances[number]:.3g}",
                means[:, number].reshape(known.shape[1:]).clip(0, 1).astype(np.float32),
                fractions(each.box, score_map),
            )
            for number, each in enumerate(candidates)
        ]


def least(variances: np.ndarray) -> int:
    """Return the number of the least variance, of equal ones the first."""
    return int(np.argmax(variances <= variances.min() + ROUNDING))


def fractions(box: Sequence[int], score_map: np.ndarray) -> tuple[float, float, float, float]:
    """Return a box of a map in fractions of its width and height.

    >>> fractions((1, 0, 3, 2), np.zeros((2, 4)))
    (0.25, 0.0, 0.75, 1.0)
    """
    height, width = score_map.shape
    x0, y0, x1, y1 = box
    return round(x0 / width, 4), round(y0 / height, 4), round(x1 / width, 4), round(y1 / height, 4)


def checked_features(features: np.ndarray | None) -> np.ndarray:
    """Return the features of an image.

    Raises:
        ShapeError: there are none, or they are not (C, h, w).
    """
    if features is None or features.ndim != 3:
        given = "none" if features is None else str(features.shape)
        raise ShapeError(
            f"TwoStageBox compares the last features (C, h, w) of an image, but got {given}. Use a head that gives "
            "its features, or another box extractor: box_extractor=dict(type='LargestComponent')."
        )
    return features
