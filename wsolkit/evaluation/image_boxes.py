"""The maps and true boxes of an image as protocols compare them: in the pixels that a convention asks for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wsolkit.errors import DataError, ShapeError
from wsolkit.evaluation.map_boxes import Convention, component_boxes, truncated_boxes
from wsolkit.evaluation.scored_image import ScoredImage, truth_boxes

__all__ = ["boxes_on_map", "image_boxes", "map_of", "only_label", "scored_components", "shows_boxes"]


def map_of(image: ScoredImage, k: int) -> np.ndarray:
    """Return the map (H, W) of a class.

    Raises:
        DataError: the image has none.
        ShapeError: it is not (H, W).
    """
    if k not in image.maps:
        raise DataError(
            f"Image {image.image_id!r} shows class {k}, but there is no map of it; there are maps of "
            f"{sorted(image.maps) or 'no class'}.",
            about=image.image_id,
        )
    if np.ndim(image.maps[k]) != 2:
        raise ShapeError(f"The map of class {k} should be (H, W), but has shape {np.shape(image.maps[k])}.")
    return image.maps[k]


def only_label(image: ScoredImage) -> int | None:
    """Return the label of an image with one, None where it is not known.

    Raises:
        DataError: the image may have several.
    """
    if not image.single_label:
        raise DataError(
            f"Image {image.image_id!r} may have several labels, but this protocol is for data with one label per "
            "image. Leave the protocol out.",
            about=image.image_id,
        )
    return None if image.label is None else int(image.label)


def checked_truth_boxes(image: ScoredImage, k: int) -> np.ndarray:
    """Return the true boxes (M, 4) of a class in pixels of the image; none where it has none to hit.

    Raises:
        DataError: a box lies outside the image.
    """
    if image.targets is None:
        return np.zeros((0, 4))
    boxes = truth_boxes(image.targets, k, image.single_label)
    size = image.targets.size
    last = np.array(size) + 1  # inclusive ends that are the width or height itself are common
    outside = (boxes[:, :2] < 0).any(1) | (boxes[:, 2:] > last).any(1)
    if outside.any():
        raise DataError(
            f"Image {image.image_id!r} has {size[0]} x {size[1]} pixels, but a true box {boxes[outside][0].tolist()}. "
            "Correct the box, or the size of the image.",
            about=image.image_id,
        )
    return boxes


def boxes_on_map(image: ScoredImage, k: int, convention: Convention) -> np.ndarray:
    """Return the true boxes (M, 4) of a class in pixels of its map; none where the image has none to hit."""
    boxes = checked_truth_boxes(image, k)
    if image.targets is None or not len(boxes):
        return np.zeros((0, 4))
    height, width = map_of(image, k).shape
    size = image.targets.size
    if convention == "wsoleval":
        return truncated_boxes(boxes, size, (width, height))
    found = boxes.astype(np.float64) * (np.array([width, height] * 2) / np.array([*size, *size]))
    return np.minimum(found, np.array([width, height] * 2))


def shows_boxes(image: ScoredImage) -> dict[int, np.ndarray]:
    """Return the true boxes (M, 4), in pixels of the image, of each class that has one to hit."""
    found = {k: checked_truth_boxes(image, k) for k in image.present}
    return {k: boxes for k, boxes in found.items() if len(boxes)}


def image_boxes(image: ScoredImage, k: int, threshold: float, every: bool = False) -> np.ndarray:
    """Return the boxes (N, 4) of a class's map at a threshold, in pixels of the image: all, or the largest one's."""
    score_map = map_of(image, k)
    found = component_boxes(score_map, [threshold], boxes="all" if every else "largest")[0]
    width, height = image.targets.size if image.targets else score_map.shape[::-1]
    return found * np.array([width / score_map.shape[1], height / score_map.shape[0]] * 2)


def scored_components(
    image: ScoredImage, maps: Mapping[int, np.ndarray], threshold: float
) -> tuple[np.ndarray, list[int], list[float]]:
    """Return every component's box (N, 4) in pixels of the image, its class, and its score.

    The score is the mean of the map in the box, times the sigmoid of the class's logit where there are logits.
    """
    boxes, labels, scores = [np.zeros((0, 4))], [], []
    for k, score_map in sorted(maps.items()):
        found = image_boxes(image, k, threshold, every=True)
        on_map = component_boxes(score_map, [threshold])[0]
        strength = [float(score_map[y0:y1, x0:x1].mean()) for x0, y0, x1, y1 in on_map.tolist()]
        sure = 1.0 if image.logits is None else float(1 / (1 + np.exp(-np.float64(image.logits[k]))))
        boxes.append(found)
        labels += [k] * len(found)
        scores += [sure * each for each in strength]
    return np.concatenate(boxes), labels, scores
