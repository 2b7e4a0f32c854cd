"""The rule of wsolevaluation, threshold by threshold with OpenCV's contours: what the component tree has to equal."""

import cv2
import numpy as np


def contour_boxes(score_map, threshold, every):
    """Return the boxes of a map at one threshold: those of every contour, or of the one with the largest area."""
    height, width = score_map.shape
    image = (score_map * 255).astype(np.uint8)
    _, binary = cv2.threshold(image, int(threshold * np.max(image)), 255, cv2.THRESH_BINARY)
    contours = cv2.findContours(binary, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]
    if not contours:
        return np.zeros((1, 4), int)
    chosen = contours if every else [max(contours, key=cv2.contourArea)]
    rectangles = np.array([cv2.boundingRect(contour) for contour in chosen])
    x, y, wide, high = rectangles.T
    return np.stack([x, y, np.minimum(x + wide, width - 1), np.minimum(y + high, height - 1)], axis=1)


def best_overlap(boxes, truth):
    """Return the best IoU of any box with any true box, both with inclusive ends."""
    best = 0.0
    for x0, y0, x1, y1 in np.asarray(boxes).tolist():
        for a0, b0, a1, b1 in np.asarray(truth).tolist():
            wide, high = max(0, min(x1, a1) - max(x0, a0) + 1), max(0, min(y1, b1) - max(y0, b0) + 1)
            both = (x1 - x0 + 1) * (y1 - y0 + 1) + (a1 - a0 + 1) * (b1 - b0 + 1) - wide * high
            best = max(best, wide * high / both if both > 0 else 0.0)
    return best


def contour_hits(score_map, truth, thresholds, ious, every):
    """Return the hits (len(ious), len(thresholds)) by contours; each distinct cut is judged once."""
    peak = int(np.max((score_map * 255).astype(np.uint8)))
    known = {}
    overlaps = []
    for threshold in thresholds:
        cut = int(threshold * np.uint8(peak))
        if cut not in known:
            known[cut] = best_overlap(contour_boxes(score_map, threshold, every), truth)
        overlaps.append(known[cut])
    return np.array(overlaps) >= np.asarray(ious)[:, None]
