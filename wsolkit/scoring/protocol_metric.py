"""The published protocols as validation metrics, as mmengine wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.results import Result
from wsolkit.interfaces import Prediction
from wsolkit.registry import BOX_EXTRACTORS
from wsolkit.scoring.accumulator_metric import AccumulatorMetric
from wsolkit.scoring.known_protocols import find_protocols
from wsolkit.scoring.predictions import scored_image

__all__ = ["ProtocolMetric"]


class ProtocolMetric(AccumulatorMetric):
    """One of the published protocols, or a plugin's, by name; see ``wsolkit list protocols``.

    Thresholds that a validation split chooses for itself are its own best ones, so they are optimistic there; ``wsolkit
    test`` takes them over to the test split. The whole result of the last evaluation is in ``result``.

    Args:
        protocol: name of the protocol, such as ``MaxBoxAccV2`` or ``PxAP``.
        num_classes: number of classes; those of the data set by default.
        threshold: a fixed threshold; of a protocol that tries every one, for its first number.
        extractor: configuration of the model's ``BoxExtractor``, for protocols that judge its boxes.
        collect_device: where results of several processes meet.
        prefix: prefix of the names; the protocol's name by default.

    Raises:
        ConfigError: there is no such protocol.
    """

    def __init__(
        self,
        protocol: str,
        num_classes: int | None = None,
        threshold: float | None = None,
        extractor: Any = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        kind = find_protocols([protocol])[protocol]
        super().__init__(collect_device=collect_device, prefix=protocol if prefix is None else prefix)
        found = kind(None if extractor is None else BOX_EXTRACTORS.build(extractor))
        self.protocol = found if threshold is None else found.at(threshold)
        self.threshold = threshold
        self.classes = num_classes
        self._accumulator: Accumulator[Any] | None = None
        self.result: Result | None = None

    @property
    def accumulator(self) -> Accumulator[Any]:
        """The accumulator that measures images; it keeps none of them."""
        if self._accumulator is None:
            self._accumulator = self.protocol.make(self.classes or self.num_classes)
        return self._accumulator

    def rows(self, data_batch: Mapping[str, Any], data_samples: Sequence[Prediction]) -> Iterator[tuple[str, Any]]:
        """Yield what the protocol keeps of each image that is a trial."""
        labels = data_batch.get("labels")
        targets = data_batch.get("targets") or [None] * len(data_samples)
        for place, prediction in enumerate(data_samples):
            label = None if labels is None else labels[place].cpu().numpy()
            row = self.protocol.row(self.accumulator, scored_image(prediction, label, targets[place]))
            if row is not None:
                yield prediction.image_id, row

    def numbers(self, rows: Sequence[tuple[str, Any]]) -> dict[str, float]:
        """Return the numbers of a split, in percent, by name; nothing where no image is a trial."""
        accumulator = self.protocol.make(self.classes or self.num_classes)
        for image_id, row in rows:
            accumulator.add(image_id, row)
        if not len(accumulator):
            return {}
        self.result = self.protocol.result(accumulator, self.threshold)
        return {line.name: line.score.percent for line in reversed(self.result.lines)}
