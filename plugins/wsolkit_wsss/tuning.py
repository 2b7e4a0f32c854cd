"""Chooses power and threshold of the background score on a named split, and writes down what was tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsolkit import DataError
from wsolkit.evaluation import MeanIoU
from wsolkit_wsss.image_jobs import run_jobs
from wsolkit_wsss.label_maps import background_scores, cut_scores
from wsolkit_wsss.labelled_images import LabelledImages

__all__ = ["POWERS", "THRESHOLDS", "Tuned", "tune_background"]

POWERS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
THRESHOLDS = tuple(round(0.01 * number, 2) for number in range(5, 76))
"""Background scores from .05 to .75."""


@dataclass(frozen=True)
class Tuned:
    """What was chosen, and what it was chosen from.

    Attributes:
        power: of the background score.
        threshold: least background score.
        miou: mean IoU of the two on the split they were chosen on, in percent.
        split: that split.
        images: its images with a mask.
        thresholds: what was tried.
        grid: mean IoU in percent at each threshold, by power.
    """

    power: float
    threshold: float
    miou: float
    split: str
    images: int
    thresholds: Sequence[float]
    grid: dict[str, list[float]]

    @property
    def words(self) -> str:
        """How the two were chosen."""
        return f"tuned on {self.split} ({self.images} images, mIoU {self.miou:.2f})"


def tune_background(
    images: LabelledImages,
    powers: Sequence[float] = POWERS,
    thresholds: Sequence[float] = (0.0, *THRESHOLDS),
    workers: int = 0,
) -> Tuned:
    """Try every power with every threshold on a split, and return the pair of the best mean IoU.

    Of equally good powers the one nearest to 1 wins, of equally good thresholds the middle one.

    Args:
        images: the split, with true masks.
        powers: what to try; the background ``constant`` has none.
        thresholds: least background scores to try, rising.
        workers: images at a time, each in a thread.

    Raises:
        DataError: no image of the split has a mask.
    """
    tried = [1.0] if images.background == "constant" else sorted(powers, key=lambda power: abs(np.log(power)))
    rows = run_jobs(tuning_job, (images, tried, thresholds), range(len(images)), workers, f"tuning on {images.split}")
    seen = [(name, row) for name, row in zip(images.image_ids, rows, strict=True) if row is not None]
    if not seen:
        raise DataError(f"No image of split {images.split!r} has a mask to tune on. Give bg_power and bg_threshold.")
    found = []
    for place, power in enumerate(tried):
        metric = MeanIoU(len(images.dataset.classes), thresholds, level="tuning", split=images.split)
        for name, row in seen:
            metric.add(name, row[place])
        result = metric.compute()
        found.append((result.lines[0].score.percent, power, metric.best_threshold(), result))
    miou, power, threshold, _ = max(found, key=lambda entry: entry[0])  # the first of the best
    grid = {f"{p:g}": [float(y) for y in next(iter(r.curves.values())).y] for _, p, _, r in found}
    return Tuned(power, threshold, miou, images.split, len(seen), [float(t) for t in thresholds], grid)


def tuning_job(
    images: LabelledImages, powers: Sequence[float], thresholds: Sequence[float]
) -> Callable[[int], list[Any] | None]:
    """Make the function that counts the pixels of one image: a row for each power, or None without a mask."""
    images = images.copy()
    metric = MeanIoU(len(images.dataset.classes), thresholds)

    def job(index: int) -> list[Any] | None:
        found = images[index]
        truth = images.truth(index, found.image.shape)
        if truth is None:
            return None
        rows = []
        for power in powers:
            background = background_scores(found.scores, found.saliency, images.background, power)
            left = cut_scores(found.scores, background)  # (T, H, W)
            rows.append(metric.measure(dict(zip(found.classes, left, strict=True)), truth))
        return rows

    return job
