"""The validation metric: classification and localization in one pass, as mmengine wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wsolkit.evaluation.box_protocols import LocalizationProtocol
from wsolkit.evaluation.classification_protocols import AccuracyProtocol, LabelMAPProtocol
from wsolkit.evaluation.label_free import LabelFreeThreshold
from wsolkit.evaluation.protocol import Protocol
from wsolkit.evaluation.results import LABEL_FREE
from wsolkit.evaluation.top_k_localization import TopKLocalization
from wsolkit.interfaces import Prediction
from wsolkit.registry import BOX_EXTRACTORS
from wsolkit.scoring.accumulator_metric import AccumulatorMetric
from wsolkit.scoring.predictions import scored_image
from wsolkit.scoring.tally import distinct_maps

__all__ = ["LocalizationMetric"]

KEYS = {
    "top-1 accuracy": "top1",
    "top-5 accuracy": "top5",
    "mAP": "mAP",
    "GT-known": "GT-known",
    "top-1 loc": "top1_loc",
    "top-5 loc": "top5_loc",
}
"""What the log calls the numbers of the protocols."""


class LocalizationMetric(AccumulatorMetric):
    """Scores predictions against labels and boxes.

    Validation reports ``top1``, ``top5`` (or ``mAP`` for multi-label data) and, where the split has boxes, ``GT-known``
    (at the threshold that is best on the validation split itself), ``top1_loc``, ``top5_loc`` and that ``threshold``,
    unless the extractor chooses one for each map. Where no image has a box and the model does not classify, there is
    ``label_free_threshold`` instead, from the maps alone (see ``LabelFreeThreshold``). These are the numbers of the
    protocols ``accuracy``, ``mAP`` and ``localization``, which ``wsolkit test`` prints.

    Args:
        thresholds: the thresholds tried, fractions of the map's maximum: a list, or how many evenly in [0, 1). With the
            largest component, any number costs the same; other extractors run once for each.
        iou: overlap that makes a hit.
        extractor: configuration of the ``BoxExtractor`` that makes the boxes; by default the model's, which the
            configuration hands down, or else the largest component.
        collect_device: where results of several processes meet.
        prefix: prefix of the names.
    """

    def __init__(
        self,
        thresholds: int | Sequence[float] = 100,
        iou: float = 0.5,
        extractor: Any = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        tried = [number / thresholds for number in range(thresholds)] if isinstance(thresholds, int) else thresholds
        self.extractor = BOX_EXTRACTORS.build(extractor or {"type": "LargestComponent"})
        self.localization = TopKLocalization(iou, convention="exact", thresholds=list(tried), extractor=self.extractor)
        self.protocols: dict[str, Protocol] = {
            each.name: each for each in (AccuracyProtocol(), LabelMAPProtocol(), LocalizationProtocol(self.extractor))
        }

    def make(self, name: str) -> Any:
        """Return an empty accumulator of a protocol."""
        if name == LABEL_FREE:
            return LabelFreeThreshold()
        if name != LocalizationProtocol.name:
            return self.protocols[name].make(self.num_classes)
        own = self.localization
        return TopKLocalization(own.iou, convention="exact", thresholds=own.thresholds, extractor=self.extractor)

    def rows(self, data_batch: Mapping[str, Any], data_samples: Sequence[Prediction]) -> Iterator[tuple[str, Any]]:
        """Yield what each protocol keeps of each image."""
        labels = data_batch.get("labels")
        targets = data_batch.get("targets") or [None] * len(data_samples)
        empty = {name: self.make(name) for name in self.protocols}
        for place, prediction in enumerate(data_samples):
            label = None if labels is None else labels[place].cpu().numpy()
            image = scored_image(prediction, label, targets[place])
            other = LabelMAPProtocol.name if image.single_label else AccuracyProtocol.name
            kept = {name: each.row(empty[name], image) for name, each in self.protocols.items() if name != other}
            if prediction.logits is None and kept[LocalizationProtocol.name] is None:
                kept[LABEL_FREE] = LabelFreeThreshold().measure(*distinct_maps(image))
            yield prediction.image_id, kept

    def numbers(self, rows: Sequence[tuple[str, Any]]) -> dict[str, float]:
        """Return the numbers of a validation split, in percent."""
        numbers: dict[str, float] = {}
        for name, protocol in self.protocols.items():
            accumulator = self.make(name)
            for image_id, kept in rows:
                if kept.get(name) is not None:
                    accumulator.add(image_id, kept[name])
            if not len(accumulator):
                continue
            result = protocol.result(accumulator)
            numbers |= {KEYS[line.name]: line.score.percent for line in reversed(result.lines) if line.name in KEYS}
            if name == LocalizationProtocol.name and not self.extractor.chooses_threshold:
                numbers["threshold"] = accumulator.best_threshold()
        if not numbers and not self.extractor.chooses_threshold:
            chosen = self.make(LABEL_FREE)
            for image_id, kept in rows:
                if kept.get(LABEL_FREE) is not None:
                    chosen.add(image_id, kept[LABEL_FREE])
            if len(chosen):
                numbers["label_free_threshold"] = chosen.best_threshold()
        return {name: float(value) for name, value in numbers.items()}
