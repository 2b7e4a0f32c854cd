"""``from wsolkit import label``: from labelled photographs to boxes to check, step by step, in one folder."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wsolkit.datasets.layouts.image_table import tables_in
from wsolkit.errors import in_range
from wsolkit.evaluation import Verdict
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.writers import FORMATS, check_formats, formats_in
from wsolkit.inference.page import PAGE
from wsolkit.labelling.boxes import Boxes, findings_of
from wsolkit.labelling.candidates import chosen_candidate
from wsolkit.labelling.checked import keep_verified, read_checked
from wsolkit.labelling.cuts import Honest
from wsolkit.labelling.learn import learnt_before
from wsolkit.labelling.learnt_map import (
    AUTO,
    COMPARE,
    Options,
    Steps,
    check_method,
    cut_by_checked,
    learnt_map,
    new_names,
    settings_of_method,
)
from wsolkit.labelling.own_classifier import OwnClassifier
from wsolkit.labelling.photographs import check_places, dataset_of, read_photographs
from wsolkit.labelling.state import CHECKPOINT, CONFIG, claim_labels
from wsolkit.labelling.verified import read_verified
from wsolkit.labelling.words import cut_words, next_words, photographs_words, verdict_words
from wsolkit.lock import locked
from wsolkit.progress import Shows, hidden

__all__ = ["DRAWN", "LabelRun", "label"]

DRAWN = 500
"""How many pictures are drawn where nobody says, the most doubtful first."""

STANDARD = ("coco", "yolo")
"""The formats that are written where nobody says."""

STEPS = ("reading", "features", "learning", "boxes", "pictures")


def silent(_: str) -> None:
    """Say nothing."""


@dataclass
class LabelRun:
    """What labelling left behind.

    Attributes:
        folder: where everything is.
        config: the configuration of the map.
        checkpoint: the map.
        photographs: how many photographs have been read.
        new: how many of them the map was not learnt from.
        failed: how many could not be read.
        boxes: how many boxes there are.
        without_box: how many photographs have none.
        rejected: how many photographs have boxes that were rejected: they are left out of what is trained from.
        verdict: what the boxes look like, or None where every photograph is checked.
        honest: how good the boxes are on the photographs that were looked at, or None where too few were.
        page: the page of pictures, or None where this run has drawn none.
        files: files and folders written.
        next_steps: commands to go on with.
        seconds: how long it took.
    """

    folder: Path
    config: Path
    checkpoint: Path
    photographs: int = 0
    new: int = 0
    failed: int = 0
    boxes: int = 0
    without_box: int = 0
    rejected: int = 0
    verdict: Verdict | None = None
    honest: Honest | None = None
    page: Path | None = None
    files: list[Path] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)
    seconds: float = 0.0


def label(
    photos: str | Path,
    out: str | Path = "labels",
    *,
    labels: str | Path | None = None,
    background: Sequence[str] = (),
    method: str = AUTO,
    classifier: OwnClassifier | None = None,
    verified: str | Path | None = None,
    formats: Sequence[str] = STANDARD,
    masks: bool = False,
    draw: int = DRAWN,
    seed: int = 0,
    threshold: float | None = None,
    cache_gb: float = 4.0,
    retrain: bool = False,
    overwrite: bool = False,
    device: str | None = None,
    export: Export = PLAIN,
    say: Callable[[str], None] = silent,
    shows: Shows = hidden,
) -> LabelRun:
    """Find boxes in labelled photographs: learn a map from them, find the boxes, write them, draw a page to check them.

    The same call goes on where it was stopped; photographs that were added since are labelled with the map that was
    learnt before.

    Args:
        photos: a folder with one folder of photographs for each class; split folders are read together.
        out: the folder for everything; a new one, an empty one, or that of an earlier run.
        labels: a table of labels (``labels.csv``), where folders are no classes; several labels a photograph may be.
        background: classes whose photographs show nothing, such as ``["free"]`` beside defects: they get no box.
        method: what is learnt: ``objects``, ``parts``, ``classes``, ``auto`` for what fits the labels; ``compare`` for
            the one that fits the checked photographs best, with a sheet of all; or a configuration file of your own.
        classifier: a classifier that exists already, whose class maps are taken in the place of a learnt map.
        verified: boxes that a person has checked, of some photographs, from any annotation tool or the page. They
            choose the cut, tell how good the boxes are, and replace those that were found, in this run and later ones;
            from 20 of them is learnt how the others are off.
        formats: any of the formats of ``wsolkit predict``; those that the folder holds are written again with them.
        masks: give every box a mask; formats that say little without have them anyway.
        draw: how many pictures to draw, the most doubtful first; 0 for none, -1 for all.
        seed: seed of everything random.
        threshold: where maps are cut, as a fraction of their maximum; chosen by default.
        cache_gb: gigabytes of features that are kept at most.
        retrain: learn the map again, from all photographs there are now.
        overwrite: remove what an earlier run left in ``out``.
        device: where to compute; the first GPU if there is one.
        export: how YOLO's and VOC's folders are written.
        say: takes lines of what happens.
        shows: gives a progress display for a task's name and number of images.

    Raises:
        ConfigError: ``out`` holds something else, or an option is out of range.
        DataError: there are no photographs, too few, or none can be read.
    """
    began = time.perf_counter()
    photos, out, formats = Path(photos).expanduser(), Path(out).expanduser(), check_formats(formats)
    table = None if labels is None else Path(labels).expanduser()
    again: dict[str, object] = {
        "labels": labels,
        "background": ",".join(background) or None,
        "method": None if method == AUTO else method,
        "seed": seed or None,
        **({} if classifier is None else classifier.options()),
        "threshold": threshold,
        "format": None if formats == STANDARD else ",".join(formats),
        "masks": masks,
        "val-share": None if export.val_share == PLAIN.val_share else export.val_share,
        "copy-images": export.copy_images,
        **({"no-pictures": True} if draw == 0 else {"draw": None if draw == DRAWN else draw}),
    }
    check_places(photos, out)
    check_method(method)
    in_range("cache_gb", cache_gb, "at least 0")
    options = Options(method, seed, threshold, cache_gb, device, classifier)
    steps = Steps(STEPS if draw else STEPS[:-1], say)
    with locked(out, "labelling", "--out"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"wsolkit\.datasets")  # what is in doubt of the folders is said once
        decides: dict[str, object] = {"method": method, "seed": seed, "labels": None, **settings_of_method(method)}
        if table is not None:
            decides["labels"] = os.path.relpath(table.resolve(), photos.resolve())  # stays when both are moved
        if background:
            decides["background"] = list(background)
        steps.begin("reading", str(photos))
        photographs = read_photographs(dataset_of(photos, table, background), shows)
        if classifier is not None:
            photographs = classifier.numbered(photographs)
            decides |= classifier.settings()
        paths = {image.image_id: image.path for image in photographs.files}
        given = read_verified(verified, paths, photographs.classes, photographs.labels) if verified else None
        claim_labels(out, photos, decides, retrain, overwrite)  # nothing is changed before all that is given is read
        formats = check_formats([*formats, *formats_in(out)])  # no file of other boxes stays beside the new ones
        masks = masks or any(FORMATS[name].needs_masks for name in formats)
        for line in photographs_words(photographs):
            say(line)
        looked_at = read_checked(out, photographs) if given is None else keep_verified(given, out, photographs)
        checked = looked_at.checked
        if given is not None:
            say(given.told)
        learnt = learnt_before(out)
        if method == COMPARE and learnt is None and classifier is None:
            chosen_candidate(out, photographs, checked, options, steps, shows)
            learnt = learnt_before(out)
        predictor, seen = learnt_map(out, photographs, learnt, options, steps, shows)
        predictor, honest = cut_by_checked(out, photographs, seen, predictor, looked_at, options)
        if threshold is None and (looked_at.checked or looked_at.rejected):
            say(cut_words(honest, len(checked), predictor.threshold_source))
        boxes = Boxes(photographs, seen, predictor, out, looked_at, masks)
        steps.begin("boxes", f"cut at {predictor.threshold:g}, {predictor.threshold_source}")
        boxes.find(shows)
        if told := boxes.learn_from_checked():
            say(told)
        verdict = boxes.write(formats, export)
        honest, by_eye = boxes.judged_by_eye(honest, seed)
        lines = verdict_words(verdict, findings_of(predictor))
        open_ones = verdict is not None or boxes.summary.rejected > 0
        commands = next_words(photos, out, again, table is None and not tables_in(photos), open_ones)
        boxes.tell(" ".join([*lines, *by_eye]), commands)
        if draw:
            steps.begin("pictures")
            boxes.draw(draw, shows)
        for line in [*lines, *by_eye]:
            say(line)
    found = boxes.summary
    return LabelRun(
        folder=out, config=out / CONFIG, checkpoint=out / CHECKPOINT, photographs=found.images,
        new=new_names(learnt, photographs), failed=found.failed, boxes=found.boxes, without_box=found.without_box,
        rejected=found.rejected, verdict=verdict, honest=honest, page=out / PAGE if draw else None,
        files=found.files, next_steps=commands,
        seconds=time.perf_counter() - began,
    )  # fmt: skip
