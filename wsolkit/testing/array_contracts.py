"""The contracts of the parts that work on arrays: box extractors and refiners."""

from __future__ import annotations

from typing import Any

import numpy as np

from wsolkit.interfaces import BoxExtractor, Refiner, ScoredBoxes
from wsolkit.testing.promises import built, promised

__all__ = ["check_box_extractor", "check_refiner"]


def check_box_extractor(part: type[BoxExtractor], **settings: Any) -> None:
    """Check that a box extractor finds boxes inside the map, best first, that of a clear rectangle exactly.

    Args:
        part: the class.
        settings: arguments of its own.

    Raises:
        AssertionError: it does not.
    """
    score_map = np.zeros((20, 30), np.float32)
    score_map[2:9, 3:12] = 1.0
    score_map[12:18, 20:29] = 0.8
    features = np.random.default_rng(0).random((6, 5, 8), np.float32)
    boxes, scores = built(part, settings)(score_map, features)
    kinds = (boxes.dtype, scores.dtype)
    promised(part, kinds == (np.float32, np.float32), "returns float32 boxes and scores", kinds)
    promised(part, boxes.shape == (len(scores), 4), "returns boxes (N, 4) and scores (N,)", (boxes.shape, scores.shape))
    promised(part, bool((np.diff(scores) <= 0).all()), "returns the best box first", scores.tolist())
    inside = bool((boxes[:, :2] >= 0).all()) and bool((boxes[:, 2:] <= [30, 20]).all())
    promised(part, inside, "returns boxes inside the map of 30 x 20 pixels", boxes.tolist())
    found = boxes[:1].tolist()
    promised(part, found == [[3, 2, 12, 9]], "finds the brightest rectangle (3, 2, 12, 9) first", found)
    none = built(part, settings)(np.zeros((20, 30), np.float32)).boxes
    promised(part, none.shape == (0, 4), "finds no box, (0, 4), in a map of zeros", none.shape)


def check_refiner(part: type[Refiner], **settings: Any) -> None:
    """Check that a refiner gives a mask to each box in their order, and that masks of two objects are apart.

    Args:
        part: the class.
        settings: arguments of its own.

    Raises:
        AssertionError: it does not.
    """
    image = np.full((40, 60, 3), 30, np.uint8)
    image[4:18, 6:24], image[24:36, 40:58] = 200, (200, 40, 40)
    score_map = np.zeros((40, 60), np.float32)
    score_map[5:17, 7:23], score_map[25:35, 41:57] = 1.0, 0.8
    boxes = ScoredBoxes(np.array([[7, 5, 23, 17], [41, 25, 57, 35]], np.float32), np.array([1, 0.8], np.float32))
    masks, found = built(part, settings)(image, score_map, boxes, 0.5)
    shape = (masks.shape, masks.dtype)
    promised(part, shape == ((2, 40, 60), np.dtype(bool)), "gives bool masks (2, 40, 60) of two boxes", shape)
    promised(part, found.boxes.shape == (2, 4), "gives a box (2, 4) for each box", found.boxes.shape)
    promised(part, bool((found.scores == boxes.scores).all()), "keeps scores and order", found.scores.tolist())
    shares = [float(masks[0, 5:17, 7:23].mean()), float(masks[1, 25:35, 41:57].mean())]
    promised(part, min(shares) > 0.9, "covers more than .9 of two clear objects", [round(each, 3) for each in shares])
    both = int((masks[0] & masks[1]).sum())
    promised(part, not both, "keeps the masks of objects far from each other apart", f"{both} pixels of both")
    none = ScoredBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    empty = built(part, settings)(image, score_map, none, 0.5).masks.shape
    promised(part, empty == (0, 40, 60), "gives masks (0, 40, 60) of no box", empty)
