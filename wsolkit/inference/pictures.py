"""Draws the pictures of a run: which images, and with which map.

A picture is named after everything that is in it, so one that exists is up to date and is not drawn again.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsolkit.datasets.decode import read_shrunk
from wsolkit.datasets.image_files import ImageFile
from wsolkit.errors import DataError
from wsolkit.files import whole_file
from wsolkit.formats.found_boxes import Failure, ImageResult, to_line
from wsolkit.inference.loading import ImageBatch, load_batches
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.run_folder import PICTURES
from wsolkit.progress import Advance, no_progress
from wsolkit.report.drawing import PANEL, encode_jpeg, side_by_side
from wsolkit.threads import in_order

__all__ = ["PICTURES", "Picture", "choose_pictures", "draw_pictures", "drop_other_pictures"]

OURS = re.compile(r"\d{6,}-.*-[0-9a-f]{10}\.jpg")
"""How ``name_of`` calls pictures."""


class Picture(NamedTuple):
    """A picture to draw: the image's number and result, and the picture's file name."""

    number: int
    result: ImageResult
    name: str

    @property
    def doubt(self) -> tuple[float, int]:
        """What pictures are sorted by: the score of the likeliest box; images without a box come first."""
        return (self.result.boxes[0].score if self.result.boxes else -1.0, self.number)


def choose_pictures(records: Iterable[ImageResult | Failure], most: int | None = None) -> list[Picture]:
    """Choose what to draw, most doubtful first: every image that was read, or the ``most`` doubtful ones."""
    found = (
        Picture(number, result, name_of(number, result))
        for number, result in enumerate(records, start=1)
        if isinstance(result, ImageResult)
    )
    if most is None:
        return sorted(found, key=lambda picture: picture.doubt)
    return heapq.nsmallest(most, found, key=lambda picture: picture.doubt)


def name_of(number: int, result: ImageResult) -> str:
    """Return the file name of an image's picture."""
    try:
        stat = Path(result.path).stat()
        state = (stat.st_size, stat.st_mtime_ns)
    except OSError:
        state = (-1, -1)
    digest = hashlib.sha256(f"{to_line(result)} {state}".encode()).hexdigest()[:10]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(result.image_id).stem)[:60]
    return f"{number:06d}-{stem}-{digest}.jpg"


def draw_pictures(
    predictor: Predictor,
    pictures: Sequence[Picture],
    folder: Path,
    classes: str = "predicted",
    num_workers: int = 0,
    advance: Advance = no_progress,
) -> None:
    """Draw the pictures that are not there yet; the maps are made again, since a run need not keep them.

    Args:
        predictor: the model the results came from.
        pictures: what to draw.
        folder: where to.
        classes: where classes come from, as in the run.
        num_workers: processes that read images.
        advance: told how many pictures are done.

    Raises:
        DataError: a picture cannot be written.
    """
    missing = [picture for picture in pictures if not (folder / picture.name).exists()]
    advance(len(pictures) - len(missing))
    wanted = {picture.result.image_id: picture for picture in missing}
    shown = {image_id: shown_class(picture.result) for image_id, picture in wanted.items()}
    folders = predictor.class_source(classes)

    def asked(batch: ImageBatch) -> list[int]:
        known = [shown[image_id] for image_id in batch.image_ids]
        if folders is None or None not in known:
            return [index or 0 for index in known]
        named = folders(batch)
        return [other if index is None else index for index, other in zip(known, named, strict=True)]

    images = [ImageFile(picture.result.image_id, picture.result.path) for picture in missing]
    size = predictor.batch_size
    batches = [range(start, min(start + size, len(images))) for start in range(0, len(images), size)]

    def made() -> Iterator[tuple[Picture, np.ndarray]]:
        pinned = predictor.device.type == "cuda"
        loaded = load_batches(images, predictor.transform, predictor.input_size, batches, num_workers, pinned)
        for batch, results in predictor.run(loaded, asked, predictor.categories(classes), min_score=None):
            advance(len(batch.failures))
            yield from ((wanted[again.image_id], next(iter(again.maps.values()))) for again in results)

    keep, predictor.keep_maps = predictor.keep_maps, True
    try:
        for _ in in_order(lambda each: draw(*each, folder), made(), threads=2):
            advance(1)
    finally:
        predictor.keep_maps = keep


def shown_class(result: ImageResult) -> int | None:
    """Return the class whose map is shown: that of the first box, or else the likeliest, if there is one."""
    if result.boxes:
        return result.boxes[0].class_index
    return result.top[0][0] if result.top else None


def draw(picture: Picture, score_map: np.ndarray, folder: Path) -> None:
    """Draw one picture and write it."""
    try:
        image, (width, _) = read_shrunk(picture.result.path, (PANEL, PANEL))
    except DataError:
        return  # it is gone since it was predicted; the page says that there is no picture
    try:
        with whole_file(folder / picture.name) as temporary:
            pixels = image.permute(1, 2, 0).numpy()
            temporary.write_bytes(encode_jpeg(side_by_side(pixels, score_map, picture.result.boxes, width)))
    except OSError as error:
        raise DataError(
            f"Picture {picture.name} cannot be written to {folder}: {error.strerror or error}. Make room, or draw "
            "fewer with --draw N; the boxes are written."
        ) from error


def drop_other_pictures(pictures: Iterable[Picture], folder: Path) -> None:
    """Remove pictures of earlier runs that are out of date."""
    wanted = {picture.name for picture in pictures}
    for path in folder.glob("*.jpg"):
        if path.name not in wanted and OURS.fullmatch(path.name):
            path.unlink(missing_ok=True)
