"""Writes golden.json: numbers of a small split by naive rules alone (contours, np.histogram), none of them wsolkit's.

python -m tests.evaluation.make_golden
"""

import json
from pathlib import Path

import numpy as np

from tests.support.contours import contour_hits
from tests.support.drawn_maps import KINDS, drawn_boxes

GOLDEN = Path(__file__).with_name("golden.json")
THRESHOLDS = np.arange(0, 1, 0.001)
IOUS = (0.3, 0.5, 0.7)


def split():
    """Return the maps, boxes, masks and labels of 36 images of 32 x 40 pixels; the same everywhere."""
    images = []
    for number in range(36):
        rng = np.random.default_rng(number)
        score_map = KINDS[number % len(KINDS)](rng, 32, 40).astype(np.float64)
        score_map = np.clip(score_map, 0, 1).round(3)  # so that no last bit of a resize decides
        boxes = drawn_boxes(rng, score_map.shape)
        mask = np.zeros(score_map.shape, np.uint8)
        for x0, y0, x1, y1 in boxes.tolist():
            mask[y0 : y1 + 1, x0 : x1 + 1] = 1
        mask[:, :3] = 255
        images.append((f"{number:02d}", score_map, boxes, mask, number % 5))
    return images


def best(rates):
    """Return the highest rate and the middle one of its thresholds."""
    where = np.flatnonzero(rates == rates.max())
    return [100 * float(rates.max()), float(THRESHOLDS[where[len(where) // 2]])]


def pixel_average_precision(images):
    """Return the pixel average precision as the protocol describes it, with np.histogram."""
    edges = np.append(THRESHOLDS, [1.0, 2.0, 3.0])
    inside = sum(np.histogram(score_map[mask == 1], edges)[0] for _, score_map, _, mask, _ in images)
    outside = sum(np.histogram(score_map[mask == 0], edges)[0] for _, score_map, _, mask, _ in images)
    right, wrong = inside[::-1].cumsum(), outside[::-1].cumsum()
    recall, precision = right / right[-1], right / np.maximum(right + wrong, 1)
    return 100 * float(np.sum(precision * np.diff(recall, prepend=0)))


def main():
    images = split()
    found = {"PxAP": pixel_average_precision(images)}
    for name, every in (("largest", False), ("all", True)):
        hits = np.array([contour_hits(each[1], each[2], THRESHOLDS, IOUS, every) for each in images])
        for iou, rates in zip(IOUS, hits.mean(0), strict=True):
            found[f"{name}@{100 * iou:.0f}"] = best(rates)
    GOLDEN.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
