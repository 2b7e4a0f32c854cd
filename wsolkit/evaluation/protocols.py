"""The published protocols by name: what each needs, and how an image is fed to its accumulator.

``PROTOCOLS`` is the list that ``wsolkit test``, ``wsolkit evaluate`` and the validation metrics share. Score maps may
have any size: true boxes and masks are brought to the size of the map, as the convention of the metric says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wsolkit.datasets.masks import fit_mask
from wsolkit.errors import ConfigError, DataError, ShapeError, WsolkitError, nearest
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.box_acc import BoxAcc
from wsolkit.evaluation.box_map import BoxMAP
from wsolkit.evaluation.classification import ClassificationMAP
from wsolkit.evaluation.corloc import CorLoc
from wsolkit.evaluation.map_boxes import Convention, component_boxes, truncated_boxes
from wsolkit.evaluation.max_box_acc import MapTrial, MaxBoxAcc, MaxBoxAccV2
from wsolkit.evaluation.mean_iou import MeanIoU
from wsolkit.evaluation.point_localization import PointLocalizationMAP
from wsolkit.evaluation.px_ap import PxAP
from wsolkit.evaluation.results import FIXED, Result
from wsolkit.evaluation.scored_image import ScoredImage, truth_boxes
from wsolkit.evaluation.top_k import TopKAccuracy
from wsolkit.evaluation.top_k_localization import TopKLocalization

__all__ = ["BOXES", "LOGITS", "MASKS", "MULTI_LABEL", "PROTOCOLS", "SINGLE_LABEL", "Protocol", "choose_protocols"]

BOXES, MASKS, LOGITS = "boxes", "masks", "logits"
SINGLE_LABEL, MULTI_LABEL = "one label per image", "several labels per image"

Feed = Callable[[Any, ScoredImage, float], Any]


@dataclass(frozen=True)
class Protocol:
    """One published protocol.

    Attributes:
        name: its name on command lines and in tables.
        summary: what it measures, in a line.
        needs: what the data has to have: ``BOXES``, ``MASKS``, ``LOGITS``, ``SINGLE_LABEL`` or ``MULTI_LABEL``.
        make: builds the accumulator for a number of classes.
        feed: measures one image at a box threshold; returns a row of the accumulator, or None where the image is no
            trial.
        sweeps: whether the accumulator tries every threshold itself; else ``threshold`` counts.
        threshold: the box threshold of a protocol that does not sweep; 0.2 by default, as in CAM's paper.
        selection: how that threshold was chosen, ``FIXED`` or ``VAL``.
    """

    name: str
    summary: str
    needs: frozenset[str]
    make: Callable[[int], Accumulator[Any]]
    feed: Feed
    sweeps: bool = True
    threshold: float | None = None
    selection: str = FIXED

    def at(self, threshold: float, selection: str = FIXED) -> Protocol:
        """Return the protocol at a box threshold, and how that was chosen, for one that does not sweep."""
        return replace(self, threshold=threshold, selection=selection)

    def row(self, accumulator: Accumulator[Any], image: ScoredImage) -> Any:
        """Return what ``accumulator`` keeps of an image, or None where the image is no trial.

        Raises:
            DataError: something of the image is wrong; the message names the image, also that of other errors.
        """
        try:
            return self.feed(accumulator, image, 0.2 if self.threshold is None else self.threshold)
        except WsolkitError as error:
            if repr(image.image_id) in str(error):
                raise
            raise type(error)(f"Image {image.image_id!r}: {error}") from error

    def result(self, accumulator: Accumulator[Any], threshold: float | Accumulator[Any] | None = None) -> Result:
        """Return the numbers of an accumulator.

        Args:
            accumulator: one that ``make`` built.
            threshold: of a protocol that sweeps, see the accumulator's ``compute``.
        """
        if not self.sweeps:
            found = accumulator.compute()
            if BOXES not in self.needs or self.name == "point-mAP":
                return found
            if self.name == "box-mAP":
                rule = "classes with a map (given labels); box score: mean of the map inside, times the sigmoid of "
                rule += "the logit where there are logits"
                found = replace(found, conventions={**found.conventions, "class source": rule})
            cut = "0.2 (the default)" if self.threshold is None else f"{self.threshold:g}"
            words = f"{self.selection}, {cut} of the maximum"
            return replace(found, conventions={**found.conventions, "box threshold": words})
        return accumulator.compute(threshold)  # type: ignore[call-arg]


def boxes_on_map(image: ScoredImage, k: int, convention: Convention) -> np.ndarray:
    """Return the true boxes (M, 4) of a class in pixels of its map; none where the image has none to hit."""
    if image.targets is None:
        return np.zeros((0, 4))
    boxes = truth_boxes(image.targets, k, image.single_label)
    height, width = map_of(image, k).shape if len(boxes) else (1, 1)
    size = image.targets.size
    if convention == "wsoleval":
        found = truncated_boxes(boxes, size, (width, height))
        found[:, 2:] = np.maximum(found[:, 2:], found[:, :2])  # a box of less than a pixel ends before it begins
        return found
    return boxes.astype(np.float64) * (np.array([width, height] * 2) / np.array([*size, *size]))


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


def feed_box_map(metric: BoxMAP, image: ScoredImage, threshold: float) -> Any:
    """Measure every component of every map; its score is the class's probability times the map's mean in the box."""
    targets = image.targets
    if targets is None:
        return None
    for k in image.present:
        if len(truth_boxes(targets, k, image.single_label)):
            map_of(image, k)  # without one the class would count as missed
    boxes, labels, scores = [np.zeros((0, 4))], [], []
    for k, score_map in sorted(image.maps.items()):
        found = image_boxes(image, k, threshold, every=True)
        on_map = component_boxes(score_map, [threshold])[0]
        strength = [float(score_map[y0:y1, x0:x1].mean()) for x0, y0, x1, y1 in on_map.tolist()]
        sure = 1.0 if image.logits is None else float(1 / (1 + np.exp(-np.float64(image.logits[k]))))
        boxes.append(found)
        labels += [k] * len(found)
        scores += [sure * each for each in strength]
    return metric.measure(np.concatenate(boxes), labels, scores, targets.boxes, targets.box_labels, targets.difficult)


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


def protocol(name: str, summary: str, needs: Iterable[str], make: Any, feed: Feed, sweeps: bool = True) -> Protocol:
    """Return a protocol whose accumulator does not depend on the number of classes, unless ``make`` takes it."""
    return Protocol(name, summary, frozenset(needs), make, feed, sweeps)


PROTOCOLS: Mapping[str, Protocol] = {
    each.name: each
    for each in (
        protocol(
            "accuracy", "top-1 and top-5 accuracy", [LOGITS, SINGLE_LABEL], lambda _: TopKAccuracy(), feed_accuracy,
            False,
        ),
        protocol(
            "mAP", "mean average precision of the labels", [LOGITS, MULTI_LABEL], lambda _: ClassificationMAP(),
            feed_map, False,
        ),
        protocol("MaxBoxAcc", "largest contour, IoU .5, as wsolevaluation", [BOXES], lambda _: MaxBoxAcc(), feed_sweep),
        protocol(
            "MaxBoxAccV2", "best contour, mean over IoU .3, .5, .7, as wsolevaluation", [BOXES],
            lambda _: MaxBoxAccV2(), feed_sweep,
        ),
        protocol(
            "MaxBoxAcc-exact", "MaxBoxAcc with half-open boxes and no quantisation", [BOXES],
            lambda _: MaxBoxAcc(convention="exact"), feed_sweep,
        ),
        protocol(
            "top-k-loc", "GT-known, top-1 and top-5 localization", [BOXES, SINGLE_LABEL],
            lambda _: TopKLocalization(), feed_top_k_localization,
        ),
        protocol(
            "BoxAcc", "one box at a fixed threshold, IoU > .3, .5, .7", [BOXES, SINGLE_LABEL], lambda _: BoxAcc(),
            feed_box_acc, False,
        ),
        protocol(
            "CorLoc", "mean over classes of right boxes on positive images", [BOXES], lambda _: CorLoc(), feed_corloc,
            False,
        ),
        protocol(
            "point-mAP", "average precision of the maps' maxima (Oquab, WILDCAT)", [BOXES, LOGITS, MULTI_LABEL],
            lambda _: PointLocalizationMAP(), feed_points, False,
        ),
        protocol(
            "box-mAP", "detection average precision of the components, IoU .5 and .3", [BOXES, MULTI_LABEL],
            lambda _: BoxMAP(ious=(0.5, 0.3)), feed_box_map, False,
        ),
        protocol("PxAP", "pixel average precision and IoU", [MASKS, SINGLE_LABEL], lambda _: PxAP(), feed_pixels),
        protocol(
            "mIoU", "mean IoU of the maps of the image's classes against class masks", [MASKS, MULTI_LABEL],
            lambda classes: MeanIoU(classes, level="seed"), feed_mean_iou,
        ),
    )
}  # fmt: skip
"""Every protocol by its name."""


def choose_protocols(names: Iterable[str], has: Iterable[str]) -> list[Protocol]:
    """Return the protocols of the given names, or all that fit the data where there are none.

    Args:
        names: names of ``PROTOCOLS``.
        has: what the data has, see ``Protocol.needs``.

    Raises:
        ConfigError: a name is unknown, a protocol needs what the data lacks, or none fits.

    >>> [each.name for each in choose_protocols([], [BOXES, SINGLE_LABEL])]
    ['MaxBoxAcc', 'MaxBoxAccV2', 'MaxBoxAcc-exact', 'top-k-loc', 'BoxAcc', 'CorLoc']
    """
    there = set(has)
    names = list(dict.fromkeys(names))
    for name in names:
        if name not in PROTOCOLS:
            raise ConfigError(f"There is no protocol {name!r}. {nearest(name, PROTOCOLS)}")
        lacking = sorted(PROTOCOLS[name].needs - there)
        if lacking:
            raise ConfigError(
                f"Protocol {name} needs {', '.join(sorted(PROTOCOLS[name].needs))}, but there is no {lacking[0]} here. "
                "Give it, or leave the protocol out."
            )
    if names:
        return [PROTOCOLS[name] for name in names]
    fitting = [each for each in PROTOCOLS.values() if each.needs <= there]
    if not fitting:
        raise ConfigError(
            f"No protocol can be computed from {', '.join(sorted(there)) or 'nothing'}. Boxes, masks or logits are "
            "needed."
        )
    return fitting
