"""What is known of one image: what a model says of it, and what annotators say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from wsolkit.interfaces import Targets

__all__ = ["ScoredImage", "class_labels", "truth_boxes"]


@dataclass
class ScoredImage:
    """One image as the protocols see it.

    Attributes:
        image_id: its name.
        maps: (H, W) score map in [0, 1] of each class that has one, by class index.
        label: class index of single-label data, (K,) 1 present, 0 absent, -1 left out, of multi-label data, or None.
        logits: (K,) scores of the classes, or None.
        targets: boxes and mask, in pixels of the original image; None where there are none.
        features: (C, h, w) last features, for box extractors that compare them, or None.
    """

    image_id: str
    maps: Mapping[int, np.ndarray] = field(default_factory=dict)
    label: int | np.ndarray | None = None
    logits: np.ndarray | None = None
    targets: Targets | None = None
    features: np.ndarray | None = None

    @property
    def single_label(self) -> bool:
        """Whether the image has one label."""
        return self.label is None or np.ndim(self.label) == 0

    @property
    def present(self) -> list[int]:
        """Classes that are in the image, rising."""
        if self.label is None:
            return []
        return [int(self.label)] if self.single_label else np.flatnonzero(np.asarray(self.label) > 0).tolist()


def truth_boxes(targets: Targets, label: int, single_label: bool) -> np.ndarray:
    """Return the boxes (N, 4) that a map of class ``label`` may hit: those of the class that are not difficult.

    In single-label data every box belongs to the image's label.
    """
    counted = ~targets.difficult
    if not single_label:
        counted = counted & (targets.box_labels == label)
    return targets.boxes[counted]


def class_labels(labels: np.ndarray, targets: Targets | None) -> np.ndarray:
    """Return multi-hot labels (K,) as 1, 0, and -1 for a class whose every object is difficult."""
    counted = (np.asarray(labels) > 0.5).astype(np.int8)
    if targets is not None and len(targets.boxes):
        difficult = set(targets.box_labels[targets.difficult].tolist())
        clear = set(targets.box_labels[~targets.difficult].tolist())
        counted[sorted(difficult - clear)] = -1
    return counted
