"""What each protocol measures of an image: a function that gives an accumulator what it takes.

Every function takes an accumulator, an image and a box threshold (which those that try every threshold do not look at),
and returns a row of the accumulator, or None where the image is no trial. True boxes and masks are brought to the size
of the map, as the convention of the metric says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wsolkit.errors import DataError, ShapeError
from wsolkit.evaluation.box_acc import BoxAcc
from wsolkit.evaluation.box_map import BoxMAP
from wsolkit.evaluation.class_masks import fit_mask
from wsolkit.evaluation.classification import ClassificationMAP
from wsolkit.evaluation.corloc import CorLoc
from wsolkit.evaluation.map_boxes import Convention, component_boxes, truncated_boxes
from wsolkit.evaluation.max_box_acc import MapTrial, MaxBoxAcc
from wsolkit.evaluation.mean_iou import MeanIoU
from wsolkit.evaluation.point_localization import PointLocalizationMAP
from wsolkit.evaluation.px_ap import PxAP
from wsolkit.evaluation.scored_image import ScoredImage, truth_boxes
from wsolkit.evaluation.top_k import TopKAccuracy
from wsolkit.evaluation.top_k_localization import TopKLocalization

__all__ = [
    "boxes_on_map",
    "feed_accuracy",
    "feed_box_acc",
    "feed_corloc",
    "feed_given_boxes",
    "feed_map",
    "feed_mean_iou",
    "feed_pixels",
    "feed_points",
    "feed_predicted_boxes",
    "feed_sweep",
    "feed_top_k_localization",
]


def boxes_on_map(image: ScoredImage, k: int, convention: Convention) -> np.ndarray:
    """Return the true boxes (M, 4) of a class in pixels of its map; none where the image has none to hit."""
    if image.targets is None:
        return np.zeros((0, 4))
    boxes = truth_boxes(image.targets, k, image.single_label)
    height, width = map_of(image, k).shape if len(boxes) else (1, 1)
    size = image.targets.size
    last = np.array(size) + 1  # inclusive ends that are the width or height itself are common
    outside = (boxes[:, :2] < 0).any(1) | (boxes[:, 2:] > last).any(1)
    if outside.any():
        raise DataError(
            f"Image {image.image_id!r} has {size[0]} x {size[1]} pixels, but a true box {boxes[outside][0].tolist()}. "
            "Correct the box, or the size of the image."
        )
    if convention == "wsoleval":
        return truncated_boxes(boxes, size, (width, height))
    found = boxes.astype(np.float64) * (np.array([width, height] * 2) / np.array([*size, *size]))
    return np.minimum(found, np.array([width, height] * 2))


def map_of(image: ScoredImage, k: int) -> np.ndarray:
    """Return the map (H, W) of a class.

    Raises:
        DataError: the image has none.
        ShapeError: it is not (H, W).
    """
    if k not in image.maps:
        raise DataError(
            f"Image {image.image_id!r} shows class {k}, but there is no map of it; there are maps of "
            f"{sorted(image.maps) or 'no class'}."
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
            "image. Leave the protocol out."
        )
    return None if image.label is None else int(image.label)


def image_boxes(image: ScoredImage, k: int, threshold: float, every: bool = False) -> np.ndarray:
    """Return the boxes (N, 4) of a class's map at a threshold, in pixels of the image: all, or the largest one's."""
    score_map = map_of(image, k)
    found = component_boxes(score_map, [threshold], boxes="all" if every else "largest")[0]
    width, height = image.targets.size if image.targets else score_map.shape[::-1]
    return found * np.array([width / score_map.shape[1], height / score_map.shape[0]] * 2)


def feed_sweep(metric: MaxBoxAcc, image: ScoredImage, _: float) -> list[MapTrial] | None:
    """Measure the map of every class that has a box to hit."""
    right = None
    if image.single_label and image.label is not None and image.logits is not None:
        right = int(np.argmax(image.logits)) == int(image.label)
    rows: list[MapTrial] = []
    for k in image.present:
        boxes = boxes_on_map(image, k, metric.convention)
        if len(boxes):
            rows += metric.measure(map_of(image, k), boxes, k, right)
    return rows or None


def feed_top_k_localization(metric: TopKLocalization, image: ScoredImage, _: float) -> Any:
    """Measure the maps of the true and of the predicted class."""
    label = only_label(image)
    if label is None:
        return None
    boxes = boxes_on_map(image, label, metric.convention)
    return metric.measure(image.maps, label, boxes, image.logits) if len(boxes) else None


def feed_box_acc(metric: BoxAcc, image: ScoredImage, threshold: float) -> Any:
    """Measure the largest component's box of the true class."""
    label = only_label(image)
    if label is None or image.targets is None or not len(truth := truth_boxes(image.targets, label, True)):
        return None
    found = image_boxes(image, label, threshold)
    return metric.measure(found[0] if len(found) else np.zeros(4), truth, label)


def feed_corloc(metric: CorLoc, image: ScoredImage, threshold: float) -> Any:
    """Measure the largest component's box of every class that is there."""
    targets = image.targets
    if targets is None:
        return None
    wanted = [k for k in image.present if len(truth_boxes(targets, k, image.single_label))]
    if not wanted:
        return None
    labels = np.full(len(targets.boxes), wanted[0]) if image.single_label else targets.box_labels
    boxes = {k: image_boxes(image, k, threshold) for k in wanted}
    kept = np.isin(labels, wanted)
    best = {k: found[0] if len(found) else None for k, found in boxes.items()}
    return metric.measure(best, targets.boxes[kept], labels[kept], targets.difficult[kept])


def feed_points(metric: PointLocalizationMAP, image: ScoredImage, _: float) -> Any:
    """Measure the maxima of the maps."""
    targets = image.targets
    if targets is None or image.logits is None:
        return None
    return metric.measure(
        image.maps, image.logits, targets.boxes, targets.box_labels, targets.difficult, size=targets.size
    )


def feed_given_boxes(metric: BoxMAP, image: ScoredImage, threshold: float) -> Any:
    """Measure every component of the maps of the classes that are in the image."""
    if image.targets is None:
        return None
    wanted = [k for k in image.present if len(truth_boxes(image.targets, k, image.single_label))]
    maps = {k: map_of(image, k) for k in wanted}  # without one the class would count as missed
    maps |= {k: image.maps[k] for k in image.present if k in image.maps}
    return measured_boxes(metric, image, maps, threshold)


def feed_predicted_boxes(metric: BoxMAP, image: ScoredImage, threshold: float) -> Any:
    """Measure every component of the maps of the classes that are likelier than not.

    Raises:
        DataError: such a class has no map.
    """
    if image.targets is None or image.logits is None:
        return None
    predicted = np.flatnonzero(np.asarray(image.logits) > 0).tolist()
    lacking = [k for k in predicted if k not in image.maps]
    if lacking:
        raise DataError(
            f"Class {lacking[0]} is predicted in image {image.image_id!r}, but there is no map of it; there are maps "
            f"of {sorted(image.maps) or 'no class'}. Make maps of every predicted class, or take box-mAP-given."
        )
    return measured_boxes(metric, image, {k: image.maps[k] for k in predicted}, threshold)


def measured_boxes(metric: BoxMAP, image: ScoredImage, maps: Mapping[int, np.ndarray], threshold: float) -> Any:
    """Measure every component of some maps; its score is the class's probability times the map's mean in the box."""
    boxes, labels, scores = [np.zeros((0, 4))], [], []
    for k, score_map in sorted(maps.items()):
        found = image_boxes(image, k, threshold, every=True)
        on_map = component_boxes(score_map, [threshold])[0]
        strength = [float(score_map[y0:y1, x0:x1].mean()) for x0, y0, x1, y1 in on_map.tolist()]
        sure = 1.0 if image.logits is None else float(1 / (1 + np.exp(-np.float64(image.logits[k]))))
        boxes.append(found)
        labels += [k] * len(found)
        scores += [sure * each for each in strength]
    truth: Any = image.targets
    return metric.measure(np.concatenate(boxes), labels, scores, truth.boxes, truth.box_labels, truth.difficult)


def feed_pixels(metric: PxAP, image: ScoredImage, _: float) -> Any:
    """Measure the map of the true class against the mask."""
    if image.targets is None or image.targets.mask is None:
        return None
    label = only_label(image)
    if label is None:
        return None
    score_map = map_of(image, label)
    mask = fit_mask(image.targets.mask, (score_map.shape[1], score_map.shape[0]))
    return metric.measure(score_map, mask, label)


def feed_mean_iou(metric: MeanIoU, image: ScoredImage, _: float) -> Any:
    """Measure the maps of the image's classes against the mask."""
    if image.targets is None or image.targets.mask is None:
        return None
    mask = image.targets.mask
    shapes = {score_map.shape for score_map in image.maps.values()}
    if len(shapes) == 1:
        height, width = shapes.pop()
        mask = fit_mask(mask, (width, height))
    return metric.measure({k: map_of(image, k) for k in image.present}, mask)


def feed_accuracy(metric: TopKAccuracy, image: ScoredImage, _: float) -> Any:
    """Measure the logits of an image with one label."""
    label = only_label(image)
    return None if image.logits is None or label is None else metric.measure(image.logits, label)


def feed_map(metric: ClassificationMAP, image: ScoredImage, _: float) -> Any:
    """Measure the logits of an image with several labels."""
    return (
        None if image.logits is None or image.label is None else metric.measure(image.logits, np.asarray(image.label))
    )
