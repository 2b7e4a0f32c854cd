"""``from wsolkit import label``: from labelled photographs to boxes to check, step by step, in one folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wsolkit.errors import ConfigError, nearest
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.writers import check_formats
from wsolkit.labelling.boxes import Boxes
from wsolkit.labelling.learn import learn, learnt_before
from wsolkit.labelling.methods import METHODS, config_of
from wsolkit.labelling.photographs import check_places, dataset_of, read_photographs
from wsolkit.labelling.state import CHECKPOINT, CONFIG, claim_labels, forget_map
from wsolkit.labelling.words import learnt_words, photographs_words
from wsolkit.lock import locked
from wsolkit.progress import Shows, hidden

__all__ = ["DRAWN", "LabelRun", "label"]

DRAWN = 500
"""How many pictures are drawn where nobody says, the most doubtful first."""

STEPS = ("reading", "learning", "boxes", "pictures")


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
        files: files and folders written.
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
    files: list[Path] = field(default_factory=list)
    seconds: float = 0.0


def configuration_of(method: str) -> str:
    """Return the configuration that a method names, or the path that it is.

    Raises:
        ConfigError: it is neither.
    """
    if method in METHODS:
        return config_of(method)
    if Path(method).expanduser().is_file():
        return str(Path(method).expanduser())
    raise ConfigError(
        f"There is no method {method!r}, nor a configuration file of that name. {nearest(method, METHODS)}"
    )


class Steps:
    """Says which of the steps begins.

    Args:
        names: the steps in order.
        say: takes a line.
    """

    def __init__(self, names: Sequence[str], say: Callable[[str], None]) -> None:
        self.names = list(names)
        self.say = say

    def begin(self, name: str, words: str = "") -> None:
        """Say that a step begins, and what it is about."""
        number = self.names.index(name) + 1
        self.say(f"{number}/{len(self.names)} {name}{f': {words}' if words else ''}")


def label(
    photos: str | Path,
    out: str | Path = "labels",
    *,
    method: str = "objects",
    formats: Sequence[str] = ("coco", "yolo"),
    draw: int = DRAWN,
    seed: int = 0,
    threshold: float | None = None,
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
        method: what is learnt: ``objects`` for whole objects; or the path of a configuration of your own.
        formats: any of the formats of ``wsolkit predict``.
        draw: how many pictures to draw, the most doubtful first; 0 for none, -1 for all.
        seed: seed of everything random.
        threshold: where maps are cut, as a fraction of their maximum; chosen by default.
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
    check_places(photos, out)
    configuration = configuration_of(method)
    steps = Steps(STEPS if draw else STEPS[:-1], say)
    with locked(out, "labelling", "--out"):
        claim_labels(out, photos, {"method": method, "seed": seed}, retrain, overwrite)
        steps.begin("reading", str(photos))
        photographs = read_photographs(dataset_of(photos), shows)
        for line in photographs_words(photographs):
            say(line)
        if retrain:
            forget_map(out)
        learnt = learnt_before(out)
        new = 0 if learnt is None else sum(name not in learnt.names for name in photographs.labels)
        steps.begin("learning", learnt_words(learnt, new))
        if learnt is None:
            learn(configuration, photographs, out, seed)
        boxes = Boxes(photographs, out, threshold, device)
        steps.begin("boxes", f"cut at {boxes.predictor.threshold:g}, {boxes.predictor.threshold_source}")
        boxes.find(shows)
        boxes.write(formats, export)
        if draw:
            steps.begin("pictures")
            boxes.draw(draw, shows)
    found = boxes.summary
    return LabelRun(
        folder=out, config=out / CONFIG, checkpoint=out / CHECKPOINT, photographs=found.images, new=new,
        failed=found.failed, boxes=found.boxes, without_box=found.without_box, files=found.files,
        seconds=time.perf_counter() - began,
    )  # fmt: skip
