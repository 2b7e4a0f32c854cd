"""From a score map to the one pseudo box of its image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from wsolkit import BoxExtractor, Checked, MapError
from wsolkit.evaluation import best_iou

__all__ = ["UPSAMPLE", "BoxSource", "Normalize", "Upsample", "in_image"]

Upsample = Literal["none", "bilinear", "bicubic"]
Normalize = Literal["none", "max", "minmax"]
UPSAMPLE = {"none": None, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}


@dataclass(frozen=True)
class BoxSource(Checked):
    """How a score map becomes a box.

    Attributes:
        extractor: finds the boxes; its threshold is set for every map.
        upsample: ``bilinear`` or ``bicubic`` to resize the map to the original image first, ``none`` to take it as it
            is.
        normalize: ``minmax``, ``max`` or ``none``, done last.
    """

    extractor: BoxExtractor
    upsample: Upsample = "none"
    normalize: Normalize = "none"

    def prepare(self, score_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return a map (H, W) float32 in [0, 1] as the extractor gets it.

        Args:
            score_map: (h, w) in [0, 1], over the whole image.
            size: (width, height) of the original image.

        Raises:
            MapError: the map is not two-dimensional, or holds NaN or infinity.
        """
        found = np.asarray(score_map, np.float32)
        if found.ndim != 2 or not found.size or not np.isfinite(found).all():
            raise MapError(f"A score map should be (H, W) finite numbers, but got {found.shape} with NaN or infinity.")
        method = UPSAMPLE[self.upsample]
        if method is not None and found.shape != (size[1], size[0]):
            found = cv2.resize(found, size, interpolation=method)
        found = found.clip(0, None)
        low = float(found.min()) if self.normalize == "minmax" else 0.0
        span = float(found.max()) - low
        if self.normalize == "none" or span <= 0:
            return found.clip(0, 1) if span > 0 else np.zeros_like(found)
        return (found - low) / span

    def box(self, prepared: np.ndarray, threshold: float, size: tuple[int, int]) -> np.ndarray | None:
        """Return the best box (4,) in pixels of the original image, or None where the map gives none.

        Args:
            prepared: what ``prepare`` returned.
            threshold: fraction of the map's maximum.
            size: (width, height) of the original image.
        """
        self.extractor.threshold = threshold
        found = self.extractor(prepared).boxes
        return in_image(found[:1], prepared.shape, size)[0] if len(found) else None

    def overlaps(
        self, prepared: np.ndarray, thresholds: Sequence[float], truth: np.ndarray, size: tuple[int, int]
    ) -> np.ndarray:
        """Return the best IoU with a true box at every threshold (T,); an empty map counts as the whole image.

        Args:
            prepared: what ``prepare`` returned.
            thresholds: fractions of the map's maximum.
            truth: (N, 4) true boxes in pixels of the original image.
            size: (width, height) of the original image.
        """
        found = self.extractor.sweep(prepared, thresholds)
        boxes = in_image(found, prepared.shape, size)
        boxes[(found[:, 2:] <= found[:, :2]).any(1)] = [0, 0, *size]
        return best_iou(boxes, truth)


def in_image(boxes: np.ndarray, shape: Sequence[int], size: tuple[int, int]) -> np.ndarray:
    """Carry boxes (N, 4) from a map of ``shape`` = (H, W) to an image of ``size`` = (width, height), clipped to it.

    >>> in_image(np.array([[1, 1, 2, 4]]), (4, 4), (100, 80)).tolist()
    [[25.0, 20.0, 50.0, 80.0]]
    """
    ends = np.array([*size, *size], np.float64)
    scale = ends / np.array([shape[1], shape[0]] * 2, np.float64)
    return np.clip(np.asarray(boxes, np.float64) * scale, 0, ends)
