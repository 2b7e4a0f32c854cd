"""Protocols that judge score maps by boxes: localization, thresholds of a split, and detection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from wsolkit.errors import DataError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.box_acc import BoxAcc
from wsolkit.evaluation.box_map import BoxMAP
from wsolkit.evaluation.corloc import CorLoc
from wsolkit.evaluation.image_boxes import boxes_on_map, image_boxes, map_of, only_label, scored_components, shows_boxes
from wsolkit.evaluation.max_box_acc import MapTrial, MaxBoxAcc, MaxBoxAccV2
from wsolkit.evaluation.point_localization import PointLocalizationMAP
from wsolkit.evaluation.protocol import BOXES, LOGITS, MULTI_LABEL, SINGLE_LABEL, Protocol
from wsolkit.evaluation.results import Result
from wsolkit.evaluation.scored_image import ScoredImage, truth_boxes
from wsolkit.evaluation.top_k_localization import TopKLocalization

__all__ = [
    "BoxAccProtocol",
    "BoxMAPProtocol",
    "CorLocProtocol",
    "ExactMaxBoxAccProtocol",
    "GivenBoxMAPProtocol",
    "LocalizationProtocol",
    "MaxBoxAccProtocol",
    "MaxBoxAccV2Protocol",
    "PointMAPProtocol",
]


class LocalizationProtocol(Protocol):
    """GT-known, top-1 and top-5 localization of the boxes that the model predicts.

    Its numbers are those of ``wsolkit.evaluation.TopKLocalization``.
    """

    name = "localization"
    summary = "GT-known, top-1 and top-5 localization of the model's own boxes, IoU .5"
    needs = frozenset({BOXES})
    uses_extractor = True

    def make(self, num_classes: int) -> TopKLocalization:
        """Return the accumulator."""
        return TopKLocalization(convention="exact", extractor=self.extractor, thresholds=0.01)

    def measure(self, accumulator: TopKLocalization, image: ScoredImage) -> Any:
        """Measure the map of every class that has a box to hit, and in single-label data that of the predicted one."""
        targets = image.targets
        if targets is None:
            return None
        logits = image.logits if image.single_label else None
        rows: list[Any] = []
        for k, boxes in shows_boxes(image).items():
            map_of(image, k)
            rows += accumulator.measure(image.maps, k, boxes, logits, targets.size, image.features)
        return rows or None


class MaxBoxAccProtocol(Protocol):
    """MaxBoxAcc of wsolevaluation, bit for bit."""

    name = "MaxBoxAcc"
    summary = "largest contour, IoU .5, as wsolevaluation"
    needs = frozenset({BOXES})

    def make(self, num_classes: int) -> MaxBoxAcc:
        """Return the accumulator."""
        return MaxBoxAcc()

    def measure(self, accumulator: MaxBoxAcc, image: ScoredImage) -> list[MapTrial] | None:
        """Measure the map of every class that has a box to hit."""
        right = None
        if image.single_label and image.label is not None and image.logits is not None:
            right = int(np.argmax(image.logits)) == int(image.label)
        rows: list[MapTrial] = []
        for k in image.present:
            boxes = boxes_on_map(image, k, accumulator.convention)
            if len(boxes):
                rows += accumulator.measure(map_of(image, k), boxes, k, right)
        return rows or None


class MaxBoxAccV2Protocol(MaxBoxAccProtocol):
    """MaxBoxAccV2 of wsolevaluation, bit for bit."""

    name = "MaxBoxAccV2"
    summary = "best contour, mean over IoU .3, .5, .7, as wsolevaluation"

    def make(self, num_classes: int) -> MaxBoxAcc:
        """Return the accumulator."""
        return MaxBoxAccV2()


class ExactMaxBoxAccProtocol(MaxBoxAccProtocol):
    """MaxBoxAcc with half-open boxes and scores as they are."""

    name = "MaxBoxAcc-exact"
    summary = "MaxBoxAcc with half-open boxes and no quantisation"
    by_default = False

    def make(self, num_classes: int) -> MaxBoxAcc:
        """Return the accumulator."""
        return MaxBoxAcc(convention="exact")


class BoxAccProtocol(Protocol):
    """The box of the largest component at one threshold, IoU > .3, .5 and .7.

    Its numbers are those of ``wsolkit.evaluation.BoxAcc``.
    """

    name = "BoxAcc"
    summary = "largest component's box at one threshold, IoU > .3, .5, .7"
    needs = frozenset({BOXES, SINGLE_LABEL})
    sweeps = False

    def make(self, num_classes: int) -> BoxAcc:
        """Return the accumulator."""
        return BoxAcc()

    def measure(self, accumulator: BoxAcc, image: ScoredImage) -> Any:
        """Measure the largest component's box of the true class."""
        label = only_label(image)
        if label is None or image.targets is None or not len(truth := truth_boxes(image.targets, label, True)):
            return None
        found = image_boxes(image, label, self.cut)
        return accumulator.measure(found[0] if len(found) else np.zeros(4), truth, label)


class CorLocProtocol(Protocol):
    """Right boxes of the largest component on positive images, mean over classes.

    Its numbers are those of ``wsolkit.evaluation.CorLoc``.
    """

    name = "CorLoc"
    summary = "mean over classes of the largest component's right boxes on positive images"
    needs = frozenset({BOXES})
    sweeps = False

    def make(self, num_classes: int) -> CorLoc:
        """Return the accumulator."""
        return CorLoc()

    def measure(self, accumulator: CorLoc, image: ScoredImage) -> Any:
        """Measure the largest component's box of every class that is there."""
        targets = image.targets
        wanted = (
            [] if targets is None else [k for k in image.present if len(truth_boxes(targets, k, image.single_label))]
        )
        if targets is None or not wanted:
            return None
        labels = np.full(len(targets.boxes), wanted[0]) if image.single_label else targets.box_labels
        boxes = {k: image_boxes(image, k, self.cut) for k in wanted}
        kept = np.isin(labels, wanted)
        best = {k: found[0] if len(found) else None for k, found in boxes.items()}
        return accumulator.measure(best, targets.boxes[kept], labels[kept], targets.difficult[kept])


class PointMAPProtocol(Protocol):
    """Average precision of the maps' maxima.

    Its numbers are those of ``wsolkit.evaluation.PointLocalizationMAP``.
    """

    name = "point-mAP"
    summary = "average precision of the maps' maxima (Oquab, WILDCAT)"
    needs = frozenset({BOXES, LOGITS, MULTI_LABEL})
    sweeps = False

    def make(self, num_classes: int) -> PointLocalizationMAP:
        """Return the accumulator."""
        return PointLocalizationMAP()

    def measure(self, accumulator: PointLocalizationMAP, image: ScoredImage) -> Any:
        """Measure the maxima of the maps."""
        targets = image.targets
        if targets is None or image.logits is None:
            return None
        return accumulator.measure(
            image.maps, image.logits, targets.boxes, targets.box_labels, targets.difficult, size=targets.size
        )

    def result(self, accumulator: Accumulator[Any], threshold: float | Accumulator[Any] | None = None) -> Result:
        """Return the numbers; a maximum has no threshold."""
        return replace(accumulator.compute(), metric=self.name)


class BoxMAPProtocol(Protocol):
    """Detection average precision of every component of the predicted classes' maps.

    Its numbers are those of ``wsolkit.evaluation.BoxMAP``.
    """

    name = "box-mAP"
    summary = "detection average precision of the predicted classes' components, IoU .5 and .3"
    needs = frozenset({BOXES, LOGITS, MULTI_LABEL})
    sweeps = False
    by_default = False
    class_source = "classes that are predicted, probability > .5"

    def make(self, num_classes: int) -> BoxMAP:
        """Return the accumulator."""
        return BoxMAP(ious=(0.5, 0.3))

    def measure(self, accumulator: BoxMAP, image: ScoredImage) -> Any:
        """Measure every component of the maps of ``classes``."""
        if image.targets is None:
            return None
        maps = self.maps(image)
        if maps is None:
            return None
        boxes, labels, scores = scored_components(image, maps, self.cut)
        truth = image.targets
        return accumulator.measure(boxes, labels, scores, truth.boxes, truth.box_labels, truth.difficult)

    def maps(self, image: ScoredImage) -> Mapping[int, np.ndarray] | None:
        """Return the maps of the classes that are likelier than not.

        Raises:
            DataError: such a class has no map.
        """
        if image.logits is None:
            return None
        predicted = np.flatnonzero(np.asarray(image.logits) > 0).tolist()
        lacking = [k for k in predicted if k not in image.maps]
        if lacking:
            raise DataError(
                f"Class {lacking[0]} is predicted in image {image.image_id!r}, but there is no map of it; there are "
                f"maps of {sorted(image.maps) or 'no class'}. Make maps of every predicted class, or take "
                "box-mAP-given.",
                about=image.image_id,
            )
        return {k: image.maps[k] for k in predicted}

    def result(self, accumulator: Accumulator[Any], threshold: float | Accumulator[Any] | None = None) -> Result:
        """Return the numbers, and which classes' maps gave boxes."""
        found = super().result(accumulator, threshold)
        source = f"{self.class_source}; box score: mean of the map inside"
        source += ", times the sigmoid of the logit where there are logits"
        return replace(found, conventions={**found.conventions, "class source": source})


class GivenBoxMAPProtocol(BoxMAPProtocol):
    """Detection average precision where the classes of each image are given."""

    name = "box-mAP-given"
    summary = "the same with the classes of each image given"
    needs = frozenset({BOXES, MULTI_LABEL})
    by_default = True
    class_source = "classes given (true labels)"

    def maps(self, image: ScoredImage) -> Mapping[int, np.ndarray] | None:
        """Return the maps of the classes that are in the image."""
        targets: Any = image.targets
        wanted = [k for k in image.present if len(truth_boxes(targets, k, image.single_label))]
        maps = {k: map_of(image, k) for k in wanted}  # without one the class would count as missed
        return maps | {k: image.maps[k] for k in image.present if k in image.maps}
