"""Draws the pictures of a run: which images, with which maps, and beside them what the model's parts show.

A picture is named after everything that is in it, so one that exists is up to date and is not drawn again.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsolkit.datasets.decode import read_shrunk
from wsolkit.datasets.image_files import ImageFile
from wsolkit.datasets.loading import ImageBatch, load_batches
from wsolkit.errors import DataError
from wsolkit.files import whole_file
from wsolkit.formats.found_boxes import Failure, ImageResult, to_line
from wsolkit.inference.given_classes import Classes
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.run_folder import PICTURES
from wsolkit.interfaces import Panel
from wsolkit.model.panels import collect_panels
from wsolkit.progress import Advance, no_progress
from wsolkit.report.drawing import PANEL, encode_jpeg, side_by_side
from wsolkit.report.panels import panel_sheet
from wsolkit.threads import in_order

__all__ = ["PICTURES", "Picture", "choose_pictures", "draw_pictures", "drop_other_pictures"]

PARTS = "-parts.jpg"
"""What the names of sheets end with."""

OURS = re.compile(r"\d{6,}-.*-[0-9a-f]{10}(-parts)?\.jpg")
"""How ``name_of`` calls pictures, and how their sheets are called."""

DRAWN = "boxes on both"
"""How pictures are drawn: one that was drawn otherwise is drawn again."""

MOST_MAPS = 5
"""Classes of an image whose maps are shown."""


class Picture(NamedTuple):
    """A picture to draw: the image's number and result, and the picture's file name."""

    number: int
    result: ImageResult
    name: str

    @property
    def key(self) -> str:
        """What the picture is known by from run to run, when images before it come or go: its name without the number.

        >>> Picture(7, ImageResult("a.jpg", "", (8, 6)), "000007-a-0123456789.jpg").key
        'a-0123456789'
        """
        return self.name.partition("-")[2].removesuffix(".jpg")

    @property
    def parts_name(self) -> str:
        """The file name of the sheet of what the model's parts show of the image."""
        return f"{self.name.removesuffix('.jpg')}{PARTS}"

    @property
    def score(self) -> float:
        """The score of the least likely class that has a box: that of its best box; 0 without a box."""
        best: dict[int, float] = {}
        for found in self.result.boxes:
            best[found.class_index] = max(found.score, best.get(found.class_index, 0.0))
        return min(best.values(), default=0.0)

    @property
    def box_doubt(self) -> float | None:
        """The doubt of the most doubtful box; None where no box has one."""
        return max((found.doubt for found in self.result.boxes if found.doubt is not None), default=None)

    @property
    def trust(self) -> float:
        """How little doubt there is of the boxes, in [0, 1]; ``score`` where they have none."""
        return self.score if self.box_doubt is None else 1 - self.box_doubt

    @property
    def doubt(self) -> tuple[float, int]:
        """What pictures are sorted by: ``trust``; images without a box come first."""
        return (self.trust if self.result.boxes else -1.0, self.number)


SHARE = 10
"""One in so many pictures is of an image that was drawn at random, where there are such."""


def choose_pictures(
    records: Iterable[ImageResult | Failure], most: int | None = None, sample: Sequence[str] = ()
) -> list[Picture]:
    """Choose what to draw, most doubtful first: every image that was read, or the ``most`` doubtful ones.

    Where not all are drawn, one in ``SHARE`` is of the first names of ``sample``, however doubtful it is.
    """
    found = (
        Picture(number, result, name_of(number, result))
        for number, result in enumerate(records, start=1)
        if isinstance(result, ImageResult)
    )
    if most is None:
        return sorted(found, key=lambda picture: picture.doubt)
    drawn = set(sample[: most // SHARE])

    def place(picture: Picture) -> tuple[bool, tuple[float, int]]:
        return picture.result.image_id not in drawn, picture.doubt

    return sorted(heapq.nsmallest(most, found, key=place), key=lambda picture: picture.doubt)


def name_of(number: int, result: ImageResult) -> str:
    """Return the file name of an image's picture."""
    try:
        stat = Path(result.path).stat()
        state = (stat.st_size, stat.st_mtime_ns)
    except OSError:
        state = (-1, -1)
    digest = hashlib.sha256(f"{to_line(result)} {state} {DRAWN}".encode()).hexdigest()[:10]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(result.image_id).stem)[:60]
    return f"{number:06d}-{stem}-{digest}.jpg"


def draw_pictures(
    predictor: Predictor,
    pictures: Sequence[Picture],
    folder: Path,
    classes: Classes = "predicted",
    num_workers: int = 0,
    advance: Advance = no_progress,
    panels: bool = False,
) -> None:
    """Draw the pictures that are not there yet; the maps are made again, since a run need not keep them.

    Args:
        predictor: the model the results came from.
        pictures: what to draw.
        folder: where to.
        classes: where classes come from, as in the run.
        num_workers: processes that read images.
        advance: told how many pictures are done.
        panels: draw a sheet of what the model's parts show of each image too, where they show something.

    Raises:
        DataError: a picture cannot be written.
    """
    missing = [picture for picture in pictures if panels or not (folder / picture.name).exists()]
    advance(len(pictures) - len(missing))
    wanted = {picture.result.image_id: picture for picture in missing}
    shown = {image_id: shown_classes(picture.result) for image_id, picture in wanted.items()}
    folders = predictor.class_source(classes)

    def asked(batch: ImageBatch) -> list[list[int]]:
        known = [shown[image_id] for image_id in batch.image_ids]
        if folders is None or all(known):
            return [indices or [0] for indices in known]
        named = folders(batch)
        return [indices or other or [0] for indices, other in zip(known, named, strict=True)]

    images = [ImageFile(picture.result.image_id, picture.result.path) for picture in missing]
    size = predictor.batch_size
    batches = [range(start, min(start + size, len(images))) for start in range(0, len(images), size)]

    def made() -> Iterator[Sheet]:
        pinned = predictor.device.type == "cuda"
        loaded = load_batches(images, predictor.transform, predictor.input_size, batches, num_workers, pinned)
        for batch, results in predictor.run(loaded, asked, predictor.categories(classes), min_score=None):
            advance(len(batch.failures))
            for row, again in enumerate(results):
                found: list[Panel] = []
                if panels:
                    inputs, label = batch.inputs[row : row + 1], next(iter(again.maps))
                    found = collect_panels(predictor.model, inputs, label, predictor.box_extractor)
                yield Sheet(wanted[again.image_id], again.maps, found)

    keep, predictor.keep_maps = predictor.keep_maps, True
    try:
        for _ in in_order(lambda each: draw(each, folder), made(), threads=2):
            advance(1)
    finally:
        predictor.keep_maps = keep


def shown_classes(result: ImageResult) -> list[int]:
    """Return the classes whose maps are shown, likeliest first: those that have boxes, or else the likeliest if any."""
    boxed = list(dict.fromkeys(found.class_index for found in result.boxes))
    return boxed[:MOST_MAPS] or [index for index, _ in result.top[:1]]


class Sheet(NamedTuple):
    """What is drawn of an image: its picture, the score map of each class, and the panels of the model's parts."""

    picture: Picture
    maps: Mapping[int, np.ndarray]
    panels: Sequence[Panel]


def draw(sheet: Sheet, folder: Path) -> None:
    """Draw one picture and write it, and the sheet of the panels beside it."""
    picture = sheet.picture
    try:
        image, (width, _) = read_shrunk(picture.result.path, (PANEL, PANEL))
    except DataError:
        return  # it is gone since it was predicted; the page says that there is no picture
    pixels = image.permute(1, 2, 0).numpy()
    write_picture(folder / picture.name, side_by_side(pixels, sheet.maps, picture.result.boxes, width))
    if sheet.panels:
        write_picture(folder / picture.parts_name, panel_sheet(pixels, sheet.panels))


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture, whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    try:
        with whole_file(path) as temporary:
            temporary.write_bytes(encode_jpeg(picture))
    except OSError as error:
        raise DataError(
            f"Picture {path.name} cannot be written to {path.parent}: {error.strerror or error}. Make room, or draw "
            "fewer with --draw N; the boxes are written."
        ) from error


def drop_other_pictures(pictures: Iterable[Picture], folder: Path) -> None:
    """Remove pictures of earlier runs that are out of date."""
    wanted = {name for picture in pictures for name in (picture.name, picture.parts_name)}
    for path in folder.glob("*.jpg"):
        if path.name not in wanted and OURS.fullmatch(path.name):
            path.unlink(missing_ok=True)
