"""A whole run of prediction into a folder: any number of images, stopped and taken up again at will."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from copy import copy
from itertools import islice
from pathlib import Path
from typing import Any

from wsolkit.datasets.decode import read_shrunk
from wsolkit.datasets.image_files import ImageFile, find_images
from wsolkit.datasets.image_walk import LeftOut
from wsolkit.datasets.loading import load_batches
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.csv_boxes import ListsWriter
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.score_maps import write_map_classes
from wsolkit.formats.writers import FORMATS, check_formats, write_results
from wsolkit.inference.given_classes import PREDICTED, Classes, given_by, told_classes
from wsolkit.inference.page import write_page
from wsolkit.inference.pictures import PICTURES, choose_pictures, draw_pictures, drop_other_pictures
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.ranks import Ranks, started_ranks
from wsolkit.inference.run_folder import CHUNK_SIZE, Chunk, RunFolder, cut
from wsolkit.inference.run_summary import RunSummary
from wsolkit.interfaces import Refiner
from wsolkit.lock import locked, remove_empty
from wsolkit.progress import Advance, Shows, hidden
from wsolkit.threads import cores

__all__ = ["ALL", "predict_to_folder"]

ALL = -1
"""Draw every image."""


def predict_to_folder(
    predictor: Predictor,
    sources: Sequence[str | Path],
    out: str | Path,
    classes: str = PREDICTED,
    formats: Sequence[str] = ("coco",),
    maps: bool = False,
    draw: int = 0,
    overwrite: bool = False,
    num_workers: int | None = None,
    chunk_size: int = CHUNK_SIZE,
    shows: Shows = hidden,
    panels: bool = False,
    export: Export = PLAIN,
    masks: bool = False,
) -> RunSummary | None:
    """Predict images and write the results into a folder.

    A run that is stopped goes on where it was when it is started again with the same settings; images that were added
    or have changed since are predicted then. Processes started by torchrun share the images.

    Args:
        predictor: the model.
        sources: image files, folders, ``.txt`` lists and patterns.
        out: the folder; a new one, an empty one, or one of an earlier run of the same settings.
        classes: ``predicted``, ``folder`` for the class that an image's folder is named after, or a table of labels.
        formats: any of coco, voc, yolo, csv, yolo-seg, masks, labelstudio, cvat.
        maps: write the score maps.
        draw: how many pictures to draw, the most doubtful first; ``ALL`` for every image.
        overwrite: remove results of other settings from ``out``.
        num_workers: processes that read images; chosen by the machine by default.
        chunk_size: about how many images are in a part file; what is lost when a run is stopped.
        shows: gives a progress display for a task's name and number of images.
        panels: beside each picture draw what the model's parts show of the image, such as masks or branches.
        export: how YOLO's and VOC's folders are written.
        masks: give every box a mask; formats that say little without have them anyway.

    Returns:
        what was done, in the first process; None in the others.

    Raises:
        ConfigError: options do not go together, or ``out`` holds something else or is being written to.
        DataError: there are no images, or none can be read.
        MapError: the model's numbers are NaN or infinite.
    """
    formats = check_formats(formats)
    if masks or any(FORMATS[name].needs_masks for name in formats):
        predictor = copy(predictor)
        predictor.masks = True
    predictor.class_source(classes)
    if panels and not draw:
        raise ConfigError("panels=True draws beside pictures, but draw=0 draws none. Set draw, or --draw N.")
    if draw < ALL:
        raise ConfigError(f"draw is how many pictures to draw, but got {draw}.")
    if num_workers is not None and num_workers < 0:
        raise ConfigError(f"num_workers is how many processes read images, but got {num_workers}.")
    workers = default_workers(predictor) if num_workers is None else num_workers
    run = RunFolder(out)
    with started_ranks() as ranks, ExitStack() as stack:
        ranks.first(lambda: stack.enter_context(locked(out, "prediction", "--out")))
        left_out: list[LeftOut] = []
        images = find_images(sources, leave_out=out, left_out=left_out)
        given = given_by(classes, predictor.classes, predictor.background)
        if given is not None:
            given.check(images)
        settings = settings_of(predictor, sources, classes, chunk_size)
        ranks.first(lambda: run.prepare(settings, overwrite))
        chunks, size = cut(images, chunk_size), predictor.input_size
        left = ranks.first(lambda: [number for number, chunk in enumerate(chunks) if to_do(run, chunk, maps, size)])
        names = predictor.categories(classes)
        if maps:
            ranks.first(lambda: write_map_classes(run.folder, names))
        summary = RunSummary(run.folder, total=len(images), left_out=left_out)
        summary.before = len(images) - sum(chunks[number].stop - chunks[number].start for number in left)
        mine = [chunks[number] for number in left[ranks.rank :: ranks.world]]
        count = sum(chunk.stop - chunk.start for chunk in mine)
        shows = shows if ranks.rank == 0 else hidden
        with shows("predicting", count) as advance:
            begun = time.perf_counter()
            compute(predictor, images, mine, run, classes, maps, workers, advance)
            summary.seconds, summary.computed = time.perf_counter() - begun, count
        ranks.wait()
        ranks.first(lambda: finish(run, chunks, names, formats, settings, summary, export))
        if draw:
            draw_all(predictor, run, chunks, classes, draw, workers, ranks, summary, settings, shows, panels)
        return summary if ranks.rank == 0 else None


def settings_of(predictor: Predictor, sources: Sequence[str | Path], classes: str, chunk_size: int) -> dict[str, Any]:
    """Return everything that decides what a run's results are, as plain JSON."""
    given = sorted(str(Path(source).absolute()) for source in sources)
    many = hashlib.sha256("\n".join(given).encode("utf-8", "surrogateescape")).hexdigest()
    return {
        **predictor.origin,
        "inputs": given if len(given) <= 10 else f"{len(given)} files and folders ({many[:16]})",
        "classes": told_classes(classes),
        **({"background": list(predictor.background)} if predictor.background else {}),
        "multi_label": predictor.multi_label,
        "topk": predictor.topk,
        "min_score": predictor.min_score,
        "threshold": predictor.threshold,
        "threshold_source": predictor.threshold_source,
        "input_size": list(predictor.input_size),
        "chunk_size": chunk_size,
        **({"refiner": refiner_settings(predictor.model.refiner)} if predictor.masks else {}),
    }


def refiner_settings(refiner: Refiner) -> dict[str, Any]:
    """Return what decides the masks: the refiner and its settings."""
    given = {name: value for name, value in vars(refiner).items() if isinstance(value, (bool, int, float, str))}
    return {"type": type(refiner).__name__, **given}


def to_do(run: RunFolder, chunk: Chunk, maps: bool, size: tuple[int, int]) -> bool:
    """Whether a chunk is to be computed: it is not there, or an image that could not be read can be read now."""
    if not run.done(chunk, maps):
        return True
    return any(readable(failure.path, size) for failure in run.failures(chunk))


def readable(path: str, size: tuple[int, int]) -> bool:
    """Whether an image can be read for a network whose input has a size (H, W)."""
    try:
        read_shrunk(path, size)
    except DataError:
        return False
    return True


def default_workers(predictor: Predictor) -> int:
    """Return how many processes read images.

    Beside a GPU every core but one, at most 8. A model on the CPU uses all cores itself, so few reading processes would
    slow it down: with up to four cores, images are read between two batches instead.
    """
    if predictor.device.type == "cuda":
        return min(8, cores() - 1)
    return 0 if cores() <= 4 else cores() // 4


def compute(
    predictor: Predictor,
    images: Sequence[ImageFile],
    chunks: Sequence[Chunk],
    run: RunFolder,
    classes: Classes,
    maps: bool,
    num_workers: int,
    advance: Advance,
) -> None:
    """Predict chunks and write each one when it is complete; batches never reach across two chunks."""
    size = predictor.batch_size
    spans = [(chunk, start) for chunk in chunks for start in range(chunk.start, chunk.stop, size)]
    batches = [range(start, min(start + size, chunk.stop)) for chunk, start in spans]
    if not batches:
        return
    keep, predictor.keep_maps = predictor.keep_maps, maps
    try:
        pinned = predictor.device.type == "cuda"
        loaded = load_batches(
            images, predictor.transform, predictor.input_size, batches, num_workers, pinned, predictor.photo_side
        )
        names = predictor.categories(classes)
        results = counted(predictor.run(loaded, predictor.class_source(classes), names, predictor.min_score), advance)
        for chunk in chunks:
            found: dict[str, ImageResult | Failure] = {}
            while len(found) < chunk.stop - chunk.start:
                found.update(next(results))
            run.write(chunk, [found[image.image_id] for image in islice(images, chunk.start, chunk.stop)], maps)
        predictor.model.head.end_pass()
    finally:
        predictor.keep_maps = keep


def counted(batches: Iterator[Any], advance: Advance) -> Iterator[dict[str, ImageResult | Failure]]:
    """Yield the results of each batch by image, and say how many there are."""
    for batch, results in batches:
        found: dict[str, ImageResult | Failure] = {each.image_id: each for each in (*results, *batch.failures)}
        yield found
        advance(len(found))


def finish(
    run: RunFolder,
    chunks: Sequence[Chunk],
    names: tuple[str, ...],
    formats: Sequence[str],
    settings: dict[str, Any],
    summary: RunSummary,
    export: Export = PLAIN,
) -> None:
    """Write the files of all results, and fail if no image could be read.

    Raises:
        DataError: no image could be read.
    """
    run.check_there()
    run.drop_stale(chunks)
    records = run.records(chunks, names)
    summary.files, lists = write_results(records, run.folder, names, formats, settings, export)
    summary.images, summary.failed = lists.images, lists.failed
    summary.without_box, summary.boxes = lists.without_box, lists.boxes
    complain_if_none(lists, run.folder)


def complain_if_none(lists: ListsWriter, folder: Path) -> None:
    """Fail if no image could be read."""
    if not lists.images:
        raise DataError(
            f"None of the {lists.failed} images could be read. The first: {lists.first_reason} "
            f"The others are in {folder / 'failed.csv'}."
        )


def draw_all(
    predictor: Predictor,
    run: RunFolder,
    chunks: Sequence[Chunk],
    classes: Classes,
    draw: int,
    num_workers: int,
    ranks: Ranks,
    summary: RunSummary,
    settings: dict[str, Any],
    shows: Shows,
    panels: bool = False,
) -> None:
    """Draw this process's share of the pictures; the first process then writes the page."""
    names = predictor.categories(classes)
    predictor = copy(predictor)
    predictor.masks = False  # the results have them
    pictures = choose_pictures(run.records(chunks, names), None if draw == ALL else draw)
    run.check_there()
    mine = pictures[ranks.rank :: ranks.world]
    folder = run.folder / PICTURES
    with shows("drawing", len(mine)) as advance:
        draw_pictures(predictor, mine, folder, classes, num_workers, advance, panels)
    ranks.wait()

    def page() -> None:
        if not run.is_there():  # the pictures have made the folder anew
            drop_other_pictures((), folder)
            remove_empty((folder, run.folder))
        run.check_there()
        drop_other_pictures(pictures, folder)
        failures = (result for result in run.records(chunks, names) if isinstance(result, Failure))
        summary.pictures = len(pictures)
        summary.files.append(write_page(run.folder, pictures, failures, names, settings, summary))

    ranks.first(page)
