"""The validation metric of a box regressor, as mmengine wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wsolkit import AccumulatorMetric, DataError
from wsolkit.evaluation import BoxAcc, Result
from wsolkit_psol.regressor import BoxPrediction

__all__ = ["BoxAccMetric"]


class BoxAccMetric(AccumulatorMetric):
    """BoxAcc: the share of images whose one predicted box overlaps a true one by more than a level.

    Reports ``BoxAcc@30``, ``BoxAcc@50``, ``BoxAcc@70`` and their mean ``BoxAcc``, in percent over images, and each with
    ``_macro`` behind it as the mean over classes. Boxes are compared in pixels of the original image, which the network
    saw as a whole. Images without a box are left out. The whole result of the last evaluation is in ``result``.

    With ``psol_reference`` boxes are compared where the authors' code does: in the network input, after a crop that
    cuts true boxes. That needs a pipeline with the crop and ``transform_targets=True``:

        pipeline=[dict(type="Resize", size=(256, 256)), dict(type="CenterCrop", size=224)]

    Args:
        ious: levels of IoU; a hit is more than the level.
        psol_reference: compare boxes in the cropped network input.
        collect_device: where results of several processes meet.
        prefix: prefix of the names; ``psol_reference`` by default for that, else none.

    Raises:
        ConfigError: the levels make no sense.
    """

    def __init__(
        self,
        ious: Sequence[float] = (0.3, 0.5, 0.7),
        psol_reference: bool = False,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        if prefix is None and psol_reference:
            prefix = "psol_reference"
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.ious = tuple(ious)
        self.psol_reference = psol_reference
        self.accumulator = BoxAcc(self.ious)
        self.result: Result | None = None

    def rows(self, data_batch: Mapping[str, Any], data_samples: Sequence[BoxPrediction]) -> Iterator[tuple[str, Any]]:
        """Yield what is kept of each image of a batch that has a true box.

        Args:
            data_batch: ``labels`` and ``targets``; with ``psol_reference`` also ``inputs`` and ``boxes``.
            data_samples: the boxes.

        Raises:
            DataError: ``psol_reference`` is set and the data carries no boxes through its pipeline.
        """
        labels = data_batch.get("labels")
        for place, prediction in enumerate(data_samples):
            truth, size = self.truth_of(data_batch, place)
            if len(truth):
                label = None if labels is None or labels[place].ndim else int(labels[place])
                yield prediction.image_id, self.accumulator.measure(prediction.on(size), truth, label)

    def truth_of(self, data_batch: Mapping[str, Any], place: int) -> tuple[np.ndarray, tuple[int, int]]:
        """Return the true boxes (N, 4) of an image and the (width, height) that they lie in."""
        if data_batch.get("targets") is None:
            return np.zeros((0, 4)), (1, 1)
        targets = data_batch["targets"][place]
        counted = ~targets.difficult
        if not self.psol_reference:
            return targets.boxes[counted], targets.size
        if "boxes" not in data_batch:
            raise DataError(
                "psol_reference compares boxes in the network input, but the data does not carry them there. Set "
                "transform_targets=True in the data set."
            )
        height, width = data_batch["inputs"][place].shape[-2:]
        return data_batch["boxes"][place].cpu().numpy()[counted], (int(width), int(height))

    def numbers(self, rows: Sequence[tuple[str, Any]]) -> dict[str, float]:
        """Return the numbers of a split, in percent; nothing where no image has a box."""
        accumulator = BoxAcc(self.ious)
        for image_id, row in rows:
            accumulator.add(image_id, row)
        if not len(accumulator):
            return {}
        self.result = accumulator.compute()
        numbers = {line.name: line.score.percent for line in self.result.lines}
        macros = {f"{line.name}_macro": line.score.macro for line in self.result.lines if line.score.macro is not None}
        return {**numbers, **macros}
