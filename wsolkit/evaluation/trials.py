"""One trial per (image, class that is in it): how well each threshold's box fits, and where the label ranks.

Conventions: the map is that of the true class (GT-known); a trial's truth is every box of that class that is not
difficult, and (image, class) pairs without one are no trials; in single-label data every box belongs to the image's
label. Top-1 and top-5 localization also ask that the label is the best, or among the five best, logits: this equals
"any of the five (class, box) pairs is right", because only the pair with the label's own class and map can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from wsolkit.errors import ConfigError
from wsolkit.evaluation.classification import label_rank
from wsolkit.evaluation.overlap import best_iou
from wsolkit.evaluation.scored_image import truth_boxes

if TYPE_CHECKING:
    from wsolkit.array_interfaces import BoxExtractor
    from wsolkit.array_structures import Targets

__all__ = ["ImageResult", "boxes_at", "class_labels", "judge"]


@dataclass
class ImageResult:
    """What an image contributes to the evaluation.

    Attributes:
        image_id: name of the image.
        rank: place of the label among the logits, 0 best; None without logits or for multi-label data.
        scores: (K,) logits of multi-label data, else None.
        labels: (K,) 1 present, 0 absent, -1 left out, of multi-label data, else None.
        classes: the class of each trial.
        ious: (trials, thresholds) overlap of each threshold's box with the truth.
    """

    image_id: str
    rank: int | None = None
    scores: np.ndarray | None = None
    labels: np.ndarray | None = None
    classes: list[int] = field(default_factory=list)
    ious: list[np.ndarray] = field(default_factory=list)


def class_labels(labels: np.ndarray, targets: Targets | None) -> np.ndarray:
    """Return multi-hot labels (K,) as 1, 0, and -1 for a class whose every object is difficult."""
    counted = (np.asarray(labels) > 0.5).astype(np.int8)
    if targets is not None and len(targets.boxes):
        difficult = set(targets.box_labels[targets.difficult].tolist())
        clear = set(targets.box_labels[~targets.difficult].tolist())
        counted[sorted(difficult - clear)] = -1
    return counted


def boxes_at(
    score_map: np.ndarray, extractor: BoxExtractor, thresholds: Sequence[float], features: np.ndarray | None = None
) -> np.ndarray:
    """Return the best-scored box at each threshold, (thresholds, 4), as fractions of the map's width and height.

    Args:
        score_map: (H, W) in [0, 1].
        extractor: what makes boxes of the map.
        thresholds: fractions of the map's maximum.
        features: (C, h, w) last features of the image, for extractors that compare them.
    """
    height, width = score_map.shape
    return extractor.sweep(score_map, thresholds, features) / np.array([width, height, width, height])


def judge(
    image_id: str,
    logits: np.ndarray | None,
    label: int | np.ndarray | None,
    boxes: Mapping[int, np.ndarray],
    targets: Targets | None,
) -> ImageResult:
    """Compare what a model says of one image with the truth.

    Args:
        image_id: name of the image.
        logits: (K,), or None.
        label: class index, multi-hot vector (K,), or None.
        boxes: for each class in the image, the box at each threshold (thresholds, 4), see ``boxes_at``.
        targets: boxes of the image; None where there are none.

    Raises:
        ConfigError: the image shows a class for which there are no boxes to compare.
    """
    single = label is None or np.ndim(label) == 0
    result = ImageResult(image_id)
    if single and label is not None and logits is not None:
        result.rank = label_rank(logits, int(label))
    elif not single and logits is not None:
        result.scores, result.labels = np.asarray(logits), class_labels(np.asarray(label), targets)
    if targets is None or label is None:
        return result
    present = [int(label)] if single else np.flatnonzero(np.asarray(label) > 0.5).tolist()
    for k in present:
        truth = truth_boxes(targets, k, single)
        if not len(truth):
            continue
        if k not in boxes:
            raise ConfigError(f"Image {image_id} shows class {k}, but there is no box of it to evaluate.")
        width, height = targets.size
        result.classes.append(k)
        result.ious.append(best_iou(boxes[k] * [width, height, width, height], truth).astype(np.float32))
    return result
