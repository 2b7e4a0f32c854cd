"""GrabCut (Rother et al., SIGGRAPH 2004), begun from a score map in the place of a person's rectangle."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from wsolkit.components.refiners.objects import ForegroundRefiner

__all__ = ["GrabCutRefiner", "grab_cut"]


def grab_cut(image: np.ndarray, share: np.ndarray, levels: tuple[float, float, float], iterations: int) -> np.ndarray:
    """Return (h, w) bool: what colours and edges of the image make of three levels of a map.

    Args:
        image: (h, w, 3) uint8.
        share: (h, w) map as a share of its maximum.
        levels: below the first a pixel is background for sure, from the second on it is more likely the object than
            not, from the third on it is the object for sure.
        iterations: how often colours are learned and pixels divided anew.

    >>> image = np.zeros((16, 16, 3), np.uint8)
    >>> image[4:12, 4:12] = 200
    >>> share = np.zeros((16, 16))
    >>> share[5:14, 5:14], share[7:9, 7:9] = 0.6, 1.0
    >>> found = grab_cut(image, share, (0.1, 0.5, 0.9), 3)
    >>> found.sum() > 0 and not found[image[..., 0] == 0].any()
    True
    """
    low, middle, high = levels
    kinds = np.full(share.shape, cv2.GC_PR_BGD, np.uint8)
    kinds[share < low] = cv2.GC_BGD
    kinds[share >= middle] = cv2.GC_PR_FGD
    kinds[share >= high] = cv2.GC_FGD
    objects = kinds & 1 == 1  # GC_FGD is 1, GC_PR_FGD 3
    if objects.all() or not objects.any():  # one of the two mixtures of colours would have nothing to learn from
        return objects
    cv2.setRNGSeed(0)  # its k-means draws; results shall not depend on what was computed before
    cv2.grabCut(image, kinds, None, np.zeros((1, 65)), np.zeros((1, 65)), iterations, cv2.GC_INIT_WITH_MASK)
    return kinds & 1 == 1


class GrabCutRefiner(ForegroundRefiner):
    """Divides the photograph by colours and edges (Rother et al. 2004), from what is above and below the map's cut.

    Args:
        side: the longest side of the image it is handed, in pixels.
        keep_below: overlap with the map's own mask below which that is kept.
        replace_from: overlap with the box around the mask from which that takes the box's place; 1 for never.
        sure_background: pixels below this share of the cut are background for sure.
        sure_object: how far from the cut to the maximum a pixel is the object for sure.
        iterations: how often colours are learned anew.

    """

    def __init__(
        self,
        side: Annotated[int, "at least 16"] = 200,
        keep_below: Annotated[float, "in [0, 1]"] = 0.3,
        replace_from: Annotated[float, "in [0, 1]"] = 1.0,
        sure_background: Annotated[float, "in [0, 1]"] = 0.5,
        sure_object: Annotated[float, "in [0, 1]"] = 0.8,
        iterations: Annotated[int, "at least 1"] = 2,
    ) -> None:
        super().__init__(side, keep_below, replace_from)
        self.sure_background = sure_background
        self.sure_object = sure_object
        self.iterations = iterations

    def foreground(self, image: np.ndarray, score_map: np.ndarray, seeds: np.ndarray, threshold: float) -> np.ndarray:
        """Return (h, w) bool: where the objects are."""
        levels = (self.sure_background * threshold, threshold, threshold + self.sure_object * (1 - threshold))
        return grab_cut(image, score_map / score_map.max(), levels, self.iterations)
