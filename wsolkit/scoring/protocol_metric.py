"""The published protocols as validation metrics, as mmengine wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from wsolkit.array_structures import Targets
from wsolkit.errors import ConfigError, nearest
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.protocols import PROTOCOLS
from wsolkit.evaluation.results import Result
from wsolkit.evaluation.scored_image import ScoredImage
from wsolkit.evaluation.trials import class_labels
from wsolkit.structures import Prediction

__all__ = ["ProtocolMetric", "scored_image"]


@dataclass
class Measured:
    """An image's name and what its accumulator keeps of it; mmengine takes tuples apart, but not this."""

    image_id: str
    row: Any


class ProtocolMetric(BaseMetric):
    """One of the published protocols, by name; see ``wsolkit.evaluation.protocols``.

    Thresholds that a validation split chooses for itself are its own best ones, so they are optimistic there; ``wsolkit
    test`` takes them over to the test split. The whole result of the last evaluation is in ``result``.

    Args:
        protocol: name of the protocol, such as ``MaxBoxAccV2`` or ``PxAP``.
        num_classes: number of classes; those of the data set by default.
        threshold: a fixed threshold; of a protocol that tries every one, for its first number.
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
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        if protocol not in PROTOCOLS:
            raise ConfigError(f"There is no protocol {protocol!r}. {nearest(protocol, PROTOCOLS)}")
        super().__init__(collect_device=collect_device, prefix=protocol if prefix is None else prefix)
        self.protocol = PROTOCOLS[protocol] if threshold is None else PROTOCOLS[protocol].at(threshold)
        self.threshold = threshold
        self.num_classes = num_classes
        self._accumulator: Accumulator[Any] | None = None
        self.result: Result | None = None

    @property
    def accumulator(self) -> Accumulator[Any]:
        """The accumulator that measures images; it keeps none of them."""
        if self._accumulator is None:
            classes = (self.dataset_meta or {}).get("classes") or ()
            self._accumulator = self.protocol.make(self.num_classes or len(classes))
        return self._accumulator

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[Prediction]) -> None:
        """Measure the predictions of a batch; ``data_batch`` holds ``labels`` and, where there are any, ``targets``."""
        labels = data_batch.get("labels")
        targets = data_batch.get("targets") or [None] * len(data_samples)
        for row, prediction in enumerate(data_samples):
            label = None if labels is None else labels[row].cpu().numpy()
            image = scored_image(prediction, label, targets[row])
            self.results.append(Measured(image.image_id, self.protocol.row(self.accumulator, image)))

    def compute_metrics(self, results: list[Measured]) -> dict[str, float]:
        """Return the numbers of a split, in percent, by name; nothing where no image is a trial."""
        accumulator = self.protocol.make(self.num_classes or len((self.dataset_meta or {}).get("classes") or ()))
        for measured in results:
            if measured.row is not None:
                accumulator.add(measured.image_id, measured.row)
        if not len(accumulator):
            return {}
        self.result = self.protocol.result(accumulator, self.threshold)
        return {line.name: line.score.percent for line in reversed(self.result.lines)}


def scored_image(prediction: Prediction, label: np.ndarray | int | None, targets: Targets | None) -> ScoredImage:
    """Return a prediction and its truth as the protocols see an image.

    Args:
        prediction: logits and score maps of the image.
        label: class index, multi-hot vector (K,), or None.
        targets: boxes and mask of the image, or None.
    """
    if label is not None:
        label = int(label) if np.ndim(label) == 0 else class_labels(np.asarray(label), targets)
    maps = prediction.maps.float().cpu().numpy()
    return ScoredImage(
        prediction.image_id,
        dict(zip(prediction.classes.tolist(), maps, strict=True)),
        label,
        None if prediction.logits is None else prediction.logits.float().cpu().numpy(),
        targets,
    )
