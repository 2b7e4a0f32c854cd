"""Streams score maps and truth through protocols: each image is read once, in threads, and counted in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from wsolkit.datasets.annotations import Annotations, ImageAnnotations
from wsolkit.errors import ConfigError, DataError, WsolkitError, first_few
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.failures import Trial
from wsolkit.evaluation.mean_iou import MeanIoU
from wsolkit.evaluation.protocols import BOXES, LOGITS, MASKS, MULTI_LABEL, PROTOCOLS, SINGLE_LABEL, Protocol
from wsolkit.evaluation.results import FIXED, ORACLE, VAL, Result
from wsolkit.evaluation.scored_image import ScoredImage
from wsolkit.formats.map_size import MapSize, fit_map, size_for
from wsolkit.formats.score_maps import Match, ScoreMaps
from wsolkit.progress import Advance, no_progress
from wsolkit.threads import in_order

__all__ = ["Evaluated", "data_has", "match_maps", "score_maps"]

IOU = 0.5
"""What a trial has to reach to be a hit in the list of failures."""
ORACLE_ONLY = (
    "Thresholds were chosen on the scored split itself: these are test-oracle numbers, for comparison only. Give "
    "--val-maps and --val-metadata, or --threshold, for honest ones."
)

Pair = tuple[Protocol, Accumulator[Any]]


@dataclass
class Evaluated:
    """What an evaluation found.

    Attributes:
        results: the numbers, one result for each protocol.
        images: how many images were scored.
        resized: how many of them had a map that was resized.
        missing: images without a map that count as misses.
        trials: what became of each box, where a protocol can say so.
        trials_at: metric, threshold, selection and IoU of the trials.
        remarks: sentences to show beside the numbers.
    """

    results: list[Result]
    images: int
    resized: int = 0
    missing: list[str] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    trials_at: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """How maps are read: the size and range they are brought to, and whether missing ones count as misses."""

    size: MapSize
    resize: str
    logits: Mapping[str, np.ndarray] | None
    allow_missing: bool


def data_has(truth: Annotations, logits: bool = False) -> set[str]:
    """Return what the data has, in the words of ``Protocol.needs``."""
    found = {MULTI_LABEL if truth.multi_label else SINGLE_LABEL}
    there = {BOXES: truth.has_boxes, MASKS: truth.has_masks, LOGITS: logits}
    return found | {need for need, has in there.items() if has}


def match_maps(maps: ScoreMaps, truth: Annotations, allow_missing: bool = False) -> Match:
    """Compare the maps with the images, before any is read.

    Raises:
        DataError: images lack a map, or a class that is in one does, and this is not allowed; or no image has one.
    """
    match = maps.match(truth.ids)
    if len(match.missing) == len(truth):
        raise DataError(
            f"None of the {len(truth)} images of split {truth.split!r} has a map in {maps.path}. Images are named "
            f"{first_few(truth.ids)}; maps are named {first_few(match.unknown)}. Name maps after the images."
        )
    match.missing = [  # an image that shows nothing needs no map
        image_id for index, image_id in enumerate(truth.ids) if maps.lacking(image_id, truth.present(index))
    ]
    if match.missing and not allow_missing:
        raise DataError(
            f"{len(match.missing)} of the {len(truth)} images of split {truth.split!r} have no map in {maps.path} for "
            f"a class they show: {first_few(match.missing)}. Make the maps of the true classes (wsolkit predict "
            "--classes folder --maps), or count these images as misses with --allow-missing."
        )
    return match


def score_maps(
    maps: ScoreMaps,
    truth: Annotations,
    protocols: Sequence[Protocol],
    *,
    threads: int = 1,
    size: MapSize = (224, 224),
    resize: str = "linear",
    threshold: float | None = None,
    val: tuple[ScoreMaps, Annotations] | None = None,
    logits: Mapping[str, np.ndarray] | None = None,
    allow_missing: bool = False,
    advance: Advance = no_progress,
) -> Evaluated:
    """Score the maps of a split.

    Args:
        maps: the maps.
        truth: labels, boxes and masks.
        protocols: what to compute, see ``wsolkit.evaluation.protocols.choose_protocols``.
        threads: how many images are worked on at a time.
        size: what maps are brought to: (H, W), ``original`` or ``map``.
        resize: ``linear``, ``cubic`` or ``refuse``.
        threshold: a fixed threshold for every protocol that has one.
        val: maps and truth of the validation split, to choose thresholds on.
        logits: class scores (K,) of the images by image id, also of those of ``val`` where it has any.
        allow_missing: count images without a map as misses, by a map of zeros.
        advance: told how many more images are done, those of ``val`` first.

    Raises:
        ConfigError: options do not go together.
        DataError: maps are missing or damaged, or contradict the truth.
        MapError: a map holds something else than scores.
        ShapeError: a map has another size and ``resize`` refuses.
    """
    if threshold is not None and val is not None:
        raise ConfigError("A threshold is either fixed (--threshold) or chosen on val (--val-maps). Give one of them.")
    reading = Reading(size, resize, logits, allow_missing)
    match = match_maps(maps, truth, allow_missing)
    pairs = build_all(protocols, len(truth.classes), threshold)
    chosen: dict[str, Accumulator[Any]] = {}
    if val is not None:
        val_maps, val_truth = val
        check_splits(truth, val_truth)
        match_maps(val_maps, val_truth, allow_missing)
        on_val = build_all(choosing(protocols), max(len(truth.classes), len(val_truth.classes)), None)
        feed_all(val_maps, val_truth, on_val, reading, threads, advance)
        chosen = {protocol.name: seen for protocol, seen in on_val}
        pairs = at_chosen(pairs, on_val)
    resized = feed_all(maps, truth, pairs, reading, threads, advance)
    found = Evaluated([], len(truth), resized, match.missing)
    notes = {"split": truth.split, **conventions_of(reading, maps, found)}
    for protocol, own in pairs:
        result = protocol.result(own, chosen.get(protocol.name, threshold))
        taken = {each.metric for each in found.results}
        name = protocol.name if result.metric in taken else result.metric  # two protocols may share an accumulator
        found.results.append(replace(result, metric=name, conventions={**result.conventions, **notes}))
    add_trials(found, pairs, threshold, chosen)
    oracle = threshold is None and not chosen and any(protocol.sweeps for protocol in protocols)
    found.remarks = remarks_of(found, match, oracle)
    found.remarks += shared_images(truth, val[1]) if val is not None else []
    judged = [len(own) for protocol, own in pairs if BOXES in protocol.needs and protocol.sweeps]
    if judged and judged[0] < len(truth):
        found.remarks.append(f"{len(truth) - judged[0]} images have no box to hit and are left out of box metrics.")
    return found


def check_splits(truth: Annotations, val: Annotations) -> None:
    """Make sure that thresholds are chosen on data of the same classes.

    Raises:
        DataError: the classes differ.
    """
    pairs = list(zip(truth.classes, val.classes, strict=False))
    numbered = all(name.isdigit() for name in (*truth.classes, *val.classes))  # counted from the labels of the split
    if any(one != other for one, other in pairs) or (len(truth.classes) != len(val.classes) and not numbered):
        raise DataError(
            f"The validation split has {len(val.classes)} classes and the scored one {len(truth.classes)}, or their "
            "names differ. Choose thresholds on a split of the same data; --classes names the classes of both."
        )


def shared_images(truth: Annotations, val: Annotations) -> list[str]:
    """Return a remark where images of the two splits have the same names; nothing where none have."""
    shared = sorted(set(truth.ids) & set(val.ids))
    if not shared:
        return []
    return [
        f"{len(shared)} of the {len(truth)} scored images have names of validation images: {first_few(shared)}. If "
        "they are the same images, the threshold that is called chosen on val is the test oracle's."
    ]


def choosing(protocols: Sequence[Protocol]) -> list[Protocol]:
    """Return the protocols to run on the validation split; MaxBoxAcc chooses for those that try no threshold."""
    found = [each for each in protocols if each.sweeps]
    boxes = any(BOXES in each.needs and not each.sweeps for each in protocols)
    if boxes and not any(BOXES in each.needs for each in found):
        found.append(PROTOCOLS["MaxBoxAcc"])
    return found


def build_all(protocols: Sequence[Protocol], num_classes: int, threshold: float | None) -> list[Pair]:
    """Return each protocol, at the fixed threshold where there is one, with an empty accumulator.

    Raises:
        ConfigError: the threshold is no fraction, or is none that a protocol tries.
    """
    if threshold is not None and not 0 <= threshold < 1:
        raise ConfigError(f"--threshold should be a fraction in [0, 1), but got {threshold:g}.")
    pairs = []
    for each in protocols:
        protocol = each if threshold is None or each.sweeps else each.at(threshold)
        own = protocol.make(num_classes)
        if threshold is not None and isinstance(own, MeanIoU):
            own.place_of(threshold, FIXED)  # complains now, not after an hour
        pairs.append((protocol, own))
    return pairs


def at_chosen(pairs: Sequence[Pair], on_val: Sequence[Pair]) -> list[Pair]:
    """Set the protocols that do not try every threshold to the one that the first box metric chose on val."""
    found = [seen for protocol, seen in on_val if BOXES in protocol.needs and len(seen)]
    if not found:
        return list(pairs)
    cut = found[0].best_threshold()  # type: ignore[attr-defined]
    return [(protocol if protocol.sweeps else protocol.at(cut, VAL), own) for protocol, own in pairs]


def feed_all(
    maps: ScoreMaps,
    truth: Annotations,
    pairs: Sequence[Pair],
    reading: Reading,
    threads: int,
    advance: Advance,
) -> int:
    """Give every image to every accumulator, and return how many images had a map that was resized."""
    masks = any(MASKS in protocol.needs for protocol, _ in pairs)

    def work(index: int) -> tuple[str, list[Any], bool]:
        image = truth.image(index, masks)
        try:
            scored, resized = scored_image(image, maps, reading)
            return image.image_id, [protocol.row(own, scored) for protocol, own in pairs], resized
        except WsolkitError as error:
            if image.image_id in str(error):
                raise
            raise type(error)(f"Image {image.image_id!r}: {error}") from error

    count = 0
    for image_id, rows, resized in in_order(work, range(len(truth)), threads):
        count += resized
        for (_, own), row in zip(pairs, rows, strict=True):
            if row is not None:
                own.add(image_id, row)
        advance(1)
    return count


def scored_image(image: ImageAnnotations, maps: ScoreMaps, reading: Reading) -> tuple[ScoredImage, bool]:
    """Return an image with its maps at the wanted size, and whether one was resized."""
    logits = None if reading.logits is None else reading.logits.get(image.image_id)
    lacking = maps.lacking(image.image_id, image.present)
    there = [k for k in image.present if k not in lacking]
    more: Collection[int] | None = None
    if isinstance(image.label, int):
        more = () if logits is None else [int(np.argmax(logits))]  # top-1 metrics look at the predicted class's map
    raw = maps.read(image.image_id, there, more) if maps.has(image.image_id) else {}
    fitted, resized = {}, False
    for k, each in raw.items():
        size = size_for(reading.size, each.shape, image.size)
        resized |= tuple(each.shape) != tuple(size)
        what = f"The map of image {image.image_id!r}"
        fitted[k] = fit_map(each, size, reading.resize, maps.normalize, what)
    if lacking and reading.allow_missing:
        shape = next((each.shape for each in fitted.values()), None)
        width, height = image.size or (1, 1)
        shape = shape or size_for(reading.size, (height, width), image.size)
        fitted |= {k: np.zeros(shape, np.float32) for k in lacking}
    return ScoredImage(image.image_id, fitted, image.label, logits, image.targets), resized


def conventions_of(reading: Reading, maps: ScoreMaps, found: Evaluated) -> dict[str, str]:
    """Return how the maps were brought to size and range, in words."""
    words = {"original": "the size of the image", "map": "the size they are stored at"}
    size = words[reading.size] if isinstance(reading.size, str) else f"{reading.size[0]} x {reading.size[1]} (H x W)"
    notes = {"score maps": f"at {size}; {found.resized} of {found.images} resized"}
    if found.resized:
        notes["score maps"] += f" ({reading.resize})"
    if maps.normalize != "none":
        notes["score maps"] += "; each brought to [0, 1]"
    if found.missing:
        notes["missing maps"] = f"{len(found.missing)} images without a map count as a map of zeros"
    return notes


def add_trials(
    found: Evaluated,
    pairs: Sequence[Pair],
    threshold: float | None,
    chosen: Mapping[str, Accumulator[Any]],
) -> None:
    """Add what became of each box, by the first protocol that can say so."""
    for protocol, own in pairs:
        if not hasattr(own, "trials"):
            continue
        source: Any = chosen.get(protocol.name, own)
        at = source.best_threshold() if threshold is None else threshold
        found.trials = list(own.trials(at, iou=IOU))
        selection = FIXED if threshold is not None else VAL if chosen else ORACLE
        found.trials_at = {"metric": own.metric, "threshold": float(at), "selection": selection, "iou": IOU}
        return


def remarks_of(found: Evaluated, match: Match, oracle_only: bool) -> list[str]:
    """Return what a reader of the numbers should know."""
    remarks = [ORACLE_ONLY] if oracle_only else []
    if match.unknown:
        remarks.append(f"{len(match.unknown)} maps belong to no image of the split: {first_few(match.unknown)}.")
    if found.missing:
        remarks.append(f"{len(found.missing)} images without a map count as misses: {first_few(found.missing)}.")
    return remarks
