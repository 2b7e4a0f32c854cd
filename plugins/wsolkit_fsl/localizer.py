"""A localizer whose losses see the boxes of a few images; every table says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from wsolkit import Batch, ConfigError, Localizer

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
        **parts: see ``Localizer``.

    Raises:
        ConfigError: a part is unknown or does not fit, or there are batch transforms, which would move images away from
            their boxes.
    """

    trained_with: ClassVar[str] = "boxes"

    def __init__(self, **parts: Any) -> None:
        if parts.get("batch_transforms"):
            raise ConfigError(
                "FewShotLocalizer trains on boxes, which batch_transforms would not move with the images. Leave them "
                "out, or take the pipeline of BoxedShots, whose steps move both."
            )
        super().__init__(**parts)

    def forward(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        image_ids: Sequence[str] = (),
        mode: str = "tensor",
        logits: Tensor | None = None,
        extras: Mapping[str, Any] | None = None,
        true_boxes: Sequence[Tensor] | None = None,
        **others: Any,
    ) -> Any:
        """Run the model as mmengine asks; ``true_boxes`` reach the losses."""
        if mode != "loss" or true_boxes is None:
            return super().forward(inputs, labels, image_ids, mode, logits, extras, **others)
        batch = BoxedBatch(inputs, labels, image_ids, self.progress, self.begins_pass, extras or {}, boxes=true_boxes)
        return self.loss(batch)
