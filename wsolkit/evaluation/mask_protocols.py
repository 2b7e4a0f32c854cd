"""Protocols that judge score maps by masks."""

from __future__ import annotations

from typing import Any

from wsolkit.evaluation.class_masks import fit_mask
from wsolkit.evaluation.image_boxes import map_of, only_label
from wsolkit.evaluation.mean_iou import MeanIoU
from wsolkit.evaluation.protocol import MASKS, MULTI_LABEL, SINGLE_LABEL, Protocol
from wsolkit.evaluation.px_ap import PxAP
from wsolkit.evaluation.scored_image import ScoredImage

__all__ = ["MeanIoUProtocol", "PxAPProtocol"]


class PxAPProtocol(Protocol):
    """Pixel average precision and IoU against the mask.

    Its numbers are those of ``wsolkit.evaluation.PxAP``.
    """

    name = "PxAP"
    summary = "pixel average precision and IoU"
    needs = frozenset({MASKS, SINGLE_LABEL})

    def make(self, num_classes: int) -> PxAP:
        """Return the accumulator."""
        return PxAP()

    def measure(self, accumulator: PxAP, image: ScoredImage) -> Any:
        """Measure the map of the true class against the mask."""
        if image.targets is None or image.targets.mask is None:
            return None
        label = only_label(image)
        if label is None:
            return None
        score_map = map_of(image, label)
        mask = fit_mask(image.targets.mask, (score_map.shape[1], score_map.shape[0]))
        return accumulator.measure(score_map, mask, label)


class MeanIoUProtocol(Protocol):
    """Mean IoU of the maps of the image's classes against class masks.

    Its numbers are those of ``wsolkit.evaluation.MeanIoU``.
    """

    name = "mIoU"
    summary = "mean IoU of the maps of the image's classes against class masks"
    needs = frozenset({MASKS, MULTI_LABEL})

    def make(self, num_classes: int) -> MeanIoU:
        """Return the accumulator."""
        return MeanIoU(num_classes, level="seed")

    def measure(self, accumulator: MeanIoU, image: ScoredImage) -> Any:
        """Measure the maps of the image's classes against the mask."""
        if image.targets is None or image.targets.mask is None:
            return None
        mask = image.targets.mask
        shapes = {score_map.shape for score_map in image.maps.values()}
        if len(shapes) == 1:
            height, width = shapes.pop()
            mask = fit_mask(mask, (width, height))
        return accumulator.measure({k: map_of(image, k) for k in image.present}, mask)
