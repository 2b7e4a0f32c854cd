"""The validation metric: classification and localization in one pass, as mmengine wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from wsolkit.errors import ConfigError
from wsolkit.evaluation.scores import Score
from wsolkit.evaluation.summary import classification, localization, stacked_ious
from wsolkit.evaluation.trials import ImageResult, boxes_at, judge
from wsolkit.interfaces import Prediction
from wsolkit.registry import BOX_EXTRACTORS

__all__ = ["LocalizationMetric"]


class LocalizationMetric(BaseMetric):
    """Scores predictions against labels and boxes.

    Validation reports ``top1``, ``top5`` (or ``mAP`` for multi-label data) and, where the split has boxes, ``GT-known``
    (MaxBoxAcc: at the threshold that is best on the validation split itself), ``top1_loc``, ``top5_loc`` and that
    ``threshold``, unless the extractor chooses one for each map.

    Args:
        thresholds: the thresholds tried, fractions of the map's maximum: a list, or how many evenly in [0, 1). With the
            largest component, any number costs the same; other extractors run once for each.
        iou: overlap that makes a hit.
        extractor: configuration of the ``BoxExtractor`` that makes the boxes; the largest component by default.
        collect_device: where results of several processes meet.
        prefix: prefix of the names.
    """

    default_prefix = ""

    def __init__(
        self,
        thresholds: int | Sequence[float] = 100,
        iou: float = 0.5,
        extractor: Any = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if isinstance(thresholds, int):
            thresholds = [number / thresholds for number in range(thresholds)]
        if not thresholds or min(thresholds) < 0 or max(thresholds) >= 1:
            raise ConfigError(f"thresholds are fractions of the map's maximum in [0, 1), but got {thresholds}.")
        self.thresholds = list(thresholds)
        self.iou = iou
        self.extractor = BOX_EXTRACTORS.build(extractor or {"type": "LargestComponent"})

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[Prediction]) -> None:
        """Judge the predictions of a batch; ``data_batch`` holds ``labels`` and, where there are any, ``targets``."""
        labels = data_batch.get("labels")
        targets = data_batch.get("targets") or [None] * len(data_samples)
        for row, prediction in enumerate(data_samples):
            label = None if labels is None else labels[row].cpu().numpy()
            truth = targets[row]
            boxes = {}
            if truth is not None and len(truth.boxes):
                maps = prediction.maps.cpu().numpy()
                features = None if prediction.features is None else prediction.features.float().cpu().numpy()
                present: list[int] = []
                if label is not None:
                    present = [int(label)] if label.ndim == 0 else np.flatnonzero(label > 0.5).tolist()
                boxes = {
                    k: boxes_at(score_map, self.extractor, self.thresholds, features)
                    for k, score_map in zip(prediction.classes.tolist(), maps, strict=True)
                    if k in present
                }
            self.results.append(
                judge(
                    prediction.image_id,
                    None if prediction.logits is None else prediction.logits.cpu().numpy(),
                    int(label) if label is not None and label.ndim == 0 else label,
                    boxes,
                    truth,
                )
            )

    def compute_metrics(self, results: list[ImageResult]) -> dict[str, float]:
        """Return the numbers of a validation split, in percent."""
        numbers = {
            name: value.percent if isinstance(value, Score) else value
            for name, value in classification(results).items()
        }
        if len(stacked_ious(results)):
            found = localization(results, self.thresholds, iou=self.iou)
            numbers["GT-known"] = found.gt_known.percent
            if found.top1 is not None and found.top5 is not None:
                numbers["top1_loc"], numbers["top5_loc"] = found.top1.percent, found.top5.percent
            if not self.extractor.chooses_threshold:
                numbers["threshold"] = found.threshold
        return {name: float(value) for name, value in numbers.items()}
