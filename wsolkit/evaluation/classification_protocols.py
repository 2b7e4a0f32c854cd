"""Protocols that judge class scores: accuracy, and average precision of several labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.classification import ClassificationMAP
from wsolkit.evaluation.image_boxes import only_label
from wsolkit.evaluation.protocol import LOGITS, MULTI_LABEL, SINGLE_LABEL, Protocol
from wsolkit.evaluation.scored_image import ScoredImage
from wsolkit.evaluation.top_k import TopKAccuracy

__all__ = ["AccuracyProtocol", "LabelMAPProtocol"]


class AccuracyProtocol(Protocol):
    """Top-1 and top-5 accuracy of data with one label per image.

    Its numbers are those of ``wsolkit.evaluation.TopKAccuracy``.
    """

    name = "accuracy"
    summary = "top-1 and top-5 accuracy"
    needs = frozenset({LOGITS, SINGLE_LABEL})
    sweeps = False

    def make(self, num_classes: int) -> Accumulator[Any]:
        """Return the accumulator."""
        return TopKAccuracy(ks=[k for k in (1, 5) if not num_classes or k < num_classes] or (1,))

    def measure(self, accumulator: TopKAccuracy, image: ScoredImage) -> Any:
        """Measure the logits."""
        label = only_label(image)
        return None if image.logits is None or label is None else accumulator.measure(image.logits, label)


class LabelMAPProtocol(Protocol):
    """Mean average precision of the labels of multi-label data.

    Its numbers are those of ``wsolkit.evaluation.ClassificationMAP``.
    """

    name = "mAP"
    summary = "mean average precision of the labels"
    needs = frozenset({LOGITS, MULTI_LABEL})
    sweeps = False

    def make(self, num_classes: int) -> Accumulator[Any]:
        """Return the accumulator."""
        return ClassificationMAP()

    def measure(self, accumulator: ClassificationMAP, image: ScoredImage) -> Any:
        """Measure the logits."""
        if image.logits is None or image.label is None:
            return None
        return accumulator.measure(image.logits, np.asarray(image.label))
