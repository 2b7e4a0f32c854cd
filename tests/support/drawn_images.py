"""Two images with maps, boxes, masks and class scores drawn by hand, and the protocols fed with them."""

import numpy as np

from wsolkit import Targets
from wsolkit.evaluation.protocol import BOXES, MULTI_LABEL, SINGLE_LABEL
from wsolkit.evaluation.protocols import PROTOCOLS
from wsolkit.evaluation.scored_image import ScoredImage

CLASSES = 7
SIZE = (40, 20)  # of the image; maps are 20 x 10: half of it
SINGLE = [name for name, each in PROTOCOLS.items() if MULTI_LABEL not in each.needs]
MULTI = [name for name, each in PROTOCOLS.items() if SINGLE_LABEL not in each.needs]
WITH_BOXES = [name for name, each in PROTOCOLS.items() if BOXES in each.needs]


def drawn(*parts):
    """Return a map of 20 x 10 with (value, x0, y0, x1, y1) rectangles."""
    score_map = np.zeros((10, 20), np.float32)
    for value, x0, y0, x1, y1 in parts:
        score_map[y0:y1, x0:x1] = value
    return score_map


def targets(boxes, labels, difficult=None, mask=None):
    hard = np.zeros(len(boxes), bool) if difficult is None else np.array(difficult, bool)
    return Targets(SIZE, np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64), hard, mask)


def mask_of(*parts):
    """Return a class mask of the image with (value, x0, y0, x1, y1) rectangles."""
    mask = np.zeros(SIZE[::-1], np.uint8)
    for value, x0, y0, x1, y1 in parts:
        mask[y0:y1, x0:x1] = value
    return mask


LOGITS_OF = np.array([0.5, 2.0, -1.0, 0.0, 1.0, -2.0, -3.0])
ONE = drawn((0.9, 2, 1, 8, 6), (0.3, 12, 2, 15, 9))
TWO = drawn((0.6, 10, 3, 18, 8), (1.0, 11, 4, 13, 6))
ONE_LABEL = [
    ScoredImage("a", {1: ONE, 4: TWO}, 1, LOGITS_OF, targets([[4, 2, 24, 12]], [1], mask=mask_of((2, 4, 2, 24, 12)))),
    ScoredImage("b", {1: ONE, 4: TWO}, 4, LOGITS_OF, targets([[24, 8, 26, 12]], [4], mask=mask_of((5, 24, 8, 26, 12)))),
]
PRESENT = np.array([0, 1, 0, 0, 1, -1, 0], np.int8)
"""Classes 1 and 4; class 5 is difficult."""
SEVERAL = [
    ScoredImage(
        "a",
        {1: ONE, 4: TWO},
        PRESENT,
        LOGITS_OF,
        targets(
            [[4, 2, 24, 12], [24, 8, 26, 12], [0, 0, 9, 9], [20, 6, 36, 16]],
            [1, 4, 5, 4],
            [False, False, True, True],
            mask_of((2, 4, 2, 16, 12), (5, 20, 6, 36, 14)),
        ),
    ),
    ScoredImage("b", {4: TWO}, PRESENT * [0, 0, 0, 0, 1, 0, 0], -LOGITS_OF, targets([[20, 6, 36, 16]], [4])),
]
INCLUSIVE = {1: [2, 1, 11, 5], 4: [12, 4, 12, 5]}
"""The boxes of ONE_LABEL as wsolevaluation has them on the map: int(v * 20 / 40) of inclusive ends."""
HALF_OPEN = {1: [2, 1, 12, 6], 4: [12, 4, 13, 6]}


def fed(name, images, threshold=None):
    protocol = PROTOCOLS[name]()
    protocol = protocol if threshold is None else protocol.at(threshold)
    accumulator = protocol.make(CLASSES)
    for image in images:
        row = protocol.row(accumulator, image)
        if row is not None:
            accumulator.add(image.image_id, row)
    return protocol, accumulator


def by_hand(metric, rows):
    for number, row in enumerate(rows):
        metric.update("ab"[number], **row)
    return metric


def maps_and(boxes, **more):
    return [
        {"score_map": score_map, "gt_boxes": [boxes[k]], "label": k, **more} for k, score_map in ((1, ONE), (4, TWO))
    ]
