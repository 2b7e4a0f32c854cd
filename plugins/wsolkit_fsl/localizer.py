"""A localizer whose losses see the boxes of a few images; every table says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from wsolkit import Batch, Localizer

__all__ = ["BoxedBatch", "FewShotLocalizer"]


@dataclass
class BoxedBatch(Batch):
    """A training batch with boxes.

    Attributes:
        boxes: B of (N, 4), x0 y0 x1 y1 in pixels of the images.
    """

    boxes: Sequence[Tensor] = ()


class FewShotLocalizer(Localizer):
    """A ``Localizer`` that hands its losses the boxes which ``BoxedShots`` gives; all else is as there.

    Args:
        *args: see ``Localizer``.
        **kwargs: see ``Localizer``.
    """

    trained_with: ClassVar[str] = "boxes"

    def forward(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        image_ids: Sequence[str] = (),
        mode: str = "tensor",
        logits: Tensor | None = None,
        true_boxes: Sequence[Tensor] | None = None,
        **others: Any,
    ) -> Any:
        """Run the model as mmengine asks; ``true_boxes`` reach the losses."""
        if mode == "loss" and true_boxes is not None:
            batch = BoxedBatch(inputs, labels, image_ids, self.progress, self.begins_pass, boxes=true_boxes)
            return self.loss(batch)
        return super().forward(inputs, labels, image_ids, mode, logits, **others)
