"""Scores maps in files: each image is read once, in threads, and counted in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wsolkit.datasets.annotations import Annotations, ImageAnnotations
from wsolkit.errors import ConfigError, DataError, first_few, naming
from wsolkit.evaluation.protocol import BOXES, LOGITS, MASKS, MULTI_LABEL, SINGLE_LABEL, Protocol
from wsolkit.evaluation.results import FIXED, VAL
from wsolkit.evaluation.scored_image import ScoredImage
from wsolkit.formats.map_size import MapSize, fit_map, size_for
from wsolkit.formats.score_maps import Match, ScoreMaps
from wsolkit.formats.turned import LOOKED_AT, Turned, turned_parts
from wsolkit.progress import Advance, no_progress
from wsolkit.report.evaluation import Evaluation
from wsolkit.scoring.outcome import cuts_chosen_on, fill
from wsolkit.scoring.tally import SCORED, Rows, Tally, mean_box_of
from wsolkit.threads import in_order

__all__ = ["Reading", "data_has", "match_maps", "score_maps"]

ORACLE_ONLY = (
    "Thresholds were chosen on the scored split itself: these are test-oracle numbers, for comparison only. Give "
    "--val-maps and --val-metadata, or --threshold, for honest ones."
)


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
) -> Evaluation:
    """Score the maps of a split, beside the trivial baselines.

    Args:
        maps: the maps.
        truth: labels, boxes and masks.
        protocols: what to compute.
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
    classes = len(truth.classes)
    fixed = Tally(protocols, classes)
    cuts = {} if threshold is None else dict.fromkeys(fixed.protocols, threshold)
    if threshold is not None:
        fixed.check_threshold(threshold)
    chosen: Tally | None = None
    if val is not None:
        val_maps, val_truth = val
        check_splits(truth, val_truth)
        match_maps(val_maps, val_truth, allow_missing)
        chosen = Tally(protocols, max(classes, len(val_truth.classes)), choosing=True)
        fill_tally(chosen, val_maps, val_truth, reading, threads, advance)
        cuts = cuts_chosen_on(chosen)
    selection = FIXED if val is None else VAL
    scored = Tally(protocols, classes, cuts, selection, mean_box=mean_box_of(chosen))
    turned = Turned()
    resized = fill_tally(scored, maps, truth, reading, threads, advance, turned)
    evaluation = Evaluation(split=truth.split, images=len(truth), classes=tuple(truth.classes), maps=str(maps.path))
    notes = {"split": truth.split, **conventions_of(reading, maps, len(truth), resized, len(match.missing))}
    fill(evaluation, scored, chosen, threshold, notes)
    swept = any(protocol.sweeps for protocol in protocols)
    evaluation.remarks = remarks_of(match, threshold is None and chosen is None and swept) + turned.remarks()
    evaluation.remarks += shared_images(truth, val[1]) if val is not None else []
    if scored.trials and scored.trials < len(truth):
        evaluation.remarks.append(
            f"{len(truth) - scored.trials} images have no box to hit and are left out of box metrics."
        )
    return evaluation


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


def fill_tally(
    tally: Tally,
    maps: ScoreMaps,
    truth: Annotations,
    reading: Reading,
    threads: int,
    advance: Advance,
    turned: Turned | None = None,
) -> int:
    """Give every image to a tally, and return how many images had a map that was resized.

    What seems turned by 90 degrees is noted in ``turned``.
    """
    masks = any(MASKS in protocol.needs for protocol in tally.protocols[SCORED].values())

    def work(index: int) -> tuple[str, Rows, bool, set[str]]:
        image = truth.image(index, masks)
        with naming(image.image_id):
            scored, shapes = scored_image(image, maps, reading)
            resized = any(shape != each.shape for shape, each in zip(shapes, scored.maps.values(), strict=False))
            parts = turned_parts(image.size, shapes, image.path if index < LOOKED_AT else "")
            return image.image_id, tally.rows(scored), resized, parts

    count = 0
    for image_id, rows, resized, parts in in_order(work, range(len(truth)), threads):
        count += resized
        if turned is not None:
            turned.add(image_id, parts)
        tally.add(image_id, rows)
        advance(1)
    return count


def scored_image(
    image: ImageAnnotations, maps: ScoreMaps, reading: Reading
) -> tuple[ScoredImage, list[tuple[int, ...]]]:
    """Return an image with its maps at the wanted size, and the shapes they are stored in, in the same order."""
    logits = None if reading.logits is None else reading.logits.get(image.image_id)
    lacking = maps.lacking(image.image_id, image.present)
    there = [k for k in image.present if k not in lacking]
    more: Collection[int] | None = None
    if isinstance(image.label, int):
        more = () if logits is None else [int(np.argmax(logits))]  # top-1 metrics look at the predicted class's map
    raw = maps.read(image.image_id, there, more) if maps.has(image.image_id) else {}
    fitted = {}
    for k, each in raw.items():
        size = size_for(reading.size, each.shape, image.size)
        fitted[k] = fit_map(each, size, reading.resize, maps.normalize, "The map")
    if lacking and reading.allow_missing:
        shape = next((each.shape for each in fitted.values()), None)
        width, height = image.size or (1, 1)
        shape = shape or size_for(reading.size, (height, width), image.size)
        fitted |= {k: np.zeros(shape, np.float32) for k in lacking}
    shapes = [each.shape for each in raw.values()]
    return ScoredImage(image.image_id, fitted, image.label, logits, image.targets), shapes


def conventions_of(reading: Reading, maps: ScoreMaps, images: int, resized: int, missing: int) -> dict[str, str]:
    """Return how the maps were brought to size and range, in words."""
    words = {"original": "the size of the image", "map": "the size they are stored at"}
    size = words[reading.size] if isinstance(reading.size, str) else f"{reading.size[0]} x {reading.size[1]} (H x W)"
    notes = {"score maps": f"at {size}; {resized} of {images} resized"}
    if resized:
        notes["score maps"] += f" ({reading.resize})"
    if maps.normalize != "none":
        notes["score maps"] += "; each brought to [0, 1]"
    if missing:
        notes["missing maps"] = f"{missing} images without a map count as a map of zeros"
    return notes


def remarks_of(match: Match, oracle_only: bool) -> list[str]:
    """Return what a reader of the numbers should know."""
    remarks = [ORACLE_ONLY] if oracle_only else []
    if match.unknown:
        remarks.append(f"{len(match.unknown)} maps belong to no image of the split: {first_few(match.unknown)}.")
    if match.missing:
        remarks.append(f"{len(match.missing)} images without a map count as misses: {first_few(match.missing)}.")
    return remarks
