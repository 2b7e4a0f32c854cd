"""The published protocols by name: what each needs, and how an image is fed to its accumulator.

``PROTOCOLS`` is the list that ``wsolkit test``, ``wsolkit evaluate`` and the validation metrics share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from wsolkit.errors import ConfigError, WsolkitError, nearest
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.box_acc import BoxAcc
from wsolkit.evaluation.box_map import BoxMAP
from wsolkit.evaluation.classification import ClassificationMAP
from wsolkit.evaluation.corloc import CorLoc
from wsolkit.evaluation.feeds import (
    feed_accuracy,
    feed_box_acc,
    feed_corloc,
    feed_given_boxes,
    feed_map,
    feed_mean_iou,
    feed_pixels,
    feed_points,
    feed_predicted_boxes,
    feed_sweep,
    feed_top_k_localization,
)
from wsolkit.evaluation.max_box_acc import MaxBoxAcc, MaxBoxAccV2
from wsolkit.evaluation.mean_iou import MeanIoU
from wsolkit.evaluation.point_localization import PointLocalizationMAP
from wsolkit.evaluation.px_ap import PxAP
from wsolkit.evaluation.results import FIXED, Result
from wsolkit.evaluation.scored_image import ScoredImage
from wsolkit.evaluation.top_k import TopKAccuracy
from wsolkit.evaluation.top_k_localization import TopKLocalization

__all__ = ["BOXES", "LOGITS", "MASKS", "MULTI_LABEL", "PROTOCOLS", "SINGLE_LABEL", "Protocol", "choose_protocols"]

BOXES, MASKS, LOGITS = "boxes", "masks", "logits"
SINGLE_LABEL, MULTI_LABEL = "one label per image", "several labels per image"

WHERE = {
    BOXES: "Boxes are in localization.txt, COCO's annotations or VOC's Annotations",
    MASKS: "Masks are named in localization.txt (with --masks), or in SegmentationClass",
    LOGITS: "Class scores are given with --logits",
}
"""Where one finds what a protocol needs."""

CLASS_SOURCES = {
    "box-mAP": "classes that are predicted, probability > .5",
    "box-mAP-given": "classes given (true labels)",
}
"""Which classes' maps give boxes."""

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
        by_default: whether it is computed where nobody names protocols.
    """

    name: str
    summary: str
    needs: frozenset[str]
    make: Callable[[int], Accumulator[Any]]
    feed: Feed
    sweeps: bool = True
    threshold: float | None = None
    selection: str = FIXED
    by_default: bool = True

    def at(self, threshold: float, selection: str = FIXED) -> Protocol:
        """Return the protocol at a box threshold, and how that was chosen, for one that does not sweep."""
        return replace(self, threshold=threshold, selection=selection)

    @property
    def cut(self) -> float:
        """The box threshold of a protocol that does not sweep."""
        return 0.2 if self.threshold is None else self.threshold

    def row(self, accumulator: Accumulator[Any], image: ScoredImage) -> Any:
        """Return what ``accumulator`` keeps of an image, or None where the image is no trial.

        Raises:
            DataError: something of the image is wrong; the message names the image, also that of other errors.
        """
        try:
            return self.feed(accumulator, image, self.cut)
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
            words = {"threshold selection": self.selection + ("" if self.threshold is not None else ", CAM's 0.2")}
            if self.name in CLASS_SOURCES:
                words["class source"] = f"{CLASS_SOURCES[self.name]}; box score: mean of the map inside"
                words["class source"] += ", times the sigmoid of the logit where there are logits"
            lines = tuple(replace(line, threshold=self.cut, selection=self.selection) for line in found.lines)
            return replace(found, lines=lines, conventions={**found.conventions, **words})
        return accumulator.compute(threshold)  # type: ignore[call-arg]


def protocol(
    name: str, summary: str, needs: Iterable[str], make: Any, feed: Feed, sweeps: bool = True, by_default: bool = True
) -> Protocol:
    """Return a protocol; its ``make`` takes the number of classes."""
    return Protocol(name, summary, frozenset(needs), make, feed, sweeps, by_default=by_default)


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
            lambda _: MaxBoxAcc(convention="exact"), feed_sweep, by_default=False,
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
            "box-mAP", "detection average precision of the predicted classes' components, IoU .5 and .3",
            [BOXES, LOGITS, MULTI_LABEL], lambda _: BoxMAP(ious=(0.5, 0.3)), feed_predicted_boxes, False,
            by_default=False,
        ),
        protocol(
            "box-mAP-given", "the same with the classes of each image given", [BOXES, MULTI_LABEL],
            lambda _: BoxMAP(ious=(0.5, 0.3)), feed_given_boxes, False,
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
    """Return the protocols of the given names; where there are none, all usual ones that fit the data.

    Args:
        names: names of ``PROTOCOLS``.
        has: what the data has, see ``Protocol.needs``.

    Raises:
        ConfigError: a name is unknown, a protocol needs what the data lacks, or none fits.

    >>> [each.name for each in choose_protocols([], [BOXES, SINGLE_LABEL])]
    ['MaxBoxAcc', 'MaxBoxAccV2', 'top-k-loc', 'BoxAcc', 'CorLoc']
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
                f"{WHERE.get(lacking[0], 'Take other data')}, or leave the protocol out."
            )
    if names:
        return [PROTOCOLS[name] for name in names]
    fitting = [each for each in PROTOCOLS.values() if each.by_default and each.needs <= there]
    if not fitting:
        raise ConfigError(
            f"No protocol can be computed from {', '.join(sorted(there)) or 'nothing'}. Boxes, masks or logits are "
            "needed."
        )
    return fitting
