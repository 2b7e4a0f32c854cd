"""Accumulators of the evaluation as validation metrics, as mmengine wants them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.evaluator import BaseMetric

__all__ = ["AccumulatorMetric", "Measured"]


@dataclass
class Measured:
    """An image's name and what accumulators keep of it; mmengine takes tuples apart, but not this."""

    image_id: str
    row: Any


class AccumulatorMetric(BaseMetric):
    """A validation metric that keeps small rows of images, on any number of processes, and computes numbers of them.

    Subclasses override ``rows`` and ``numbers``.

    Args:
        collect_device: where results of several processes meet.
        prefix: prefix of the names.
    """

    default_prefix = ""

    def __init__(self, collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)

    @abstractmethod
    def rows(self, data_batch: Mapping[str, Any], data_samples: Sequence[Any]) -> Iterator[tuple[str, Any]]:
        """Yield the name and the row (picklable) of each image of a batch that counts.

        Args:
            data_batch: ``labels`` and, where there are any, ``targets``.
            data_samples: what the model says of each image.
        """

    @abstractmethod
    def numbers(self, rows: Sequence[tuple[str, Any]]) -> dict[str, float]:
        """Return the numbers of a split, in percent, by name; nothing where no image is a trial."""

    @property
    def num_classes(self) -> int:
        """How many classes the data set has; 0 where it does not say."""
        return len((self.dataset_meta or {}).get("classes") or ())

    def process(self, data_batch: Mapping[str, Any], data_samples: Sequence[Any]) -> None:
        """Keep the rows of a batch."""
        self.results += [Measured(image_id, row) for image_id, row in self.rows(data_batch, data_samples)]

    def compute_metrics(self, results: list[Measured]) -> dict[str, float]:
        """Return the numbers of a split; see ``numbers``."""
        return self.numbers([(measured.image_id, measured.row) for measured in results])
