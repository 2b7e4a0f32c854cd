"""Finds the boxes of all photographs with the learnt map, and writes them in every format that is asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsolkit.evaluation import Verdict
from wsolkit.files import write_json
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.found_boxes import REJECTED, Failure, ImageResult
from wsolkit.formats.writer import remove
from wsolkit.formats.writers import write_results
from wsolkit.inference.given_classes import GIVEN
from wsolkit.inference.page import write_page
from wsolkit.inference.pictures import PICTURES, choose_pictures, draw_pictures, drop_other_pictures
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.run_folder import CHUNK_SIZE, Chunk, RunFolder, cut
from wsolkit.inference.run_summary import RunSummary
from wsolkit.inference.to_folder import ALL, complain_if_none, default_workers, settings_of, to_do
from wsolkit.labelling.checked import LookedAt, with_checked
from wsolkit.labelling.corrections import FEWEST, pooled_rows, taught
from wsolkit.labelling.cuts import Honest, results_with_maps
from wsolkit.labelling.judge import add_doubts, judge, write_next, write_sample
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.seen import Seen
from wsolkit.progress import Shows, hidden
from wsolkit.threads import in_order

__all__ = ["Boxes", "findings_of"]


class Boxes:
    """The boxes of photographs.

    Args:
        photographs: what to label.
        seen: the photographs as the network takes them.
        predictor: the learnt map.
        out: the folder of the labels.
        looked_at: photographs that a person has looked at: checked boxes replace those that are found, rejected ones
            are not written.
        masks: give every box a mask, by the model's refiner.

    Attributes:
        better: the results as the checked boxes have corrected them, or None where they have not.
    """

    def __init__(
        self,
        photographs: Photographs,
        seen: Seen,
        predictor: Predictor,
        out: Path,
        looked_at: LookedAt,
        masks: bool = False,
    ) -> None:
        self.photographs = photographs
        self.mirrored = one_sided(predictor)
        self.masks = predictor.masks = masks
        self.seen = seen
        self.predictor = predictor
        self.run = RunFolder(out)
        self.looked_at = looked_at
        where = [photographs.dataset["data_root"]]
        self.settings: dict[str, Any] = settings_of(predictor, where, GIVEN, CHUNK_SIZE)
        self.chunks = cut(photographs.files, CHUNK_SIZE, photographs.labels)
        self.summary = RunSummary(out, total=len(photographs.files))
        self.names = predictor.categories(photographs.labels)
        self.better: list[ImageResult | Failure] | None = None

    def find(self, shows: Shows = hidden) -> None:
        """Find the boxes of the photographs that have none yet, and how doubtful each is."""
        prepare(self.run, self.settings)
        size = self.predictor.input_size
        left = [chunk for chunk in self.chunks if to_do(self.run, chunk, False, size)]
        count = sum(chunk.stop - chunk.start for chunk in left)
        self.summary.before, self.summary.computed = self.summary.total - count, count
        with shows("boxes", count) as advance:
            begun = time.perf_counter()
            for chunk in left:
                self.run.write(chunk, self.find_in(chunk))
                advance(chunk.stop - chunk.start)
            self.summary.seconds = time.perf_counter() - begun
        self.predictor.model.head.end_pass()

    def find_in(self, chunk: Chunk) -> list[ImageResult | Failure]:
        """Return the results of a chunk's photographs, in their order."""
        indices = range(chunk.start, chunk.stop)
        failures: dict[str, ImageResult | Failure] = {}
        found: dict[str, ImageResult | Failure] = {}
        sides = [
            results_with_maps(predictor, self.photographs, self.seen, indices, predictor is self.mirrored, failures)
            for predictor in (self.predictor, self.mirrored)
        ]

        def judged(pair: tuple[ImageResult, ImageResult]) -> ImageResult:
            add_doubts(*pair, self.predictor.threshold)
            return pair[0]

        for result in in_order(judged, zip(*sides, strict=True), threads=1):
            result.maps = {}
            found[result.image_id] = result
        found |= failures
        return [found[self.photographs.files[index].image_id] for index in indices]

    def records(self) -> Iterator[ImageResult | Failure]:
        """Yield the results of all photographs, with the checked boxes in the place of those that were found."""
        return with_checked(self.found(), self.looked_at, self.masks)

    def unchecked(self) -> Iterator[ImageResult | Failure]:
        """Yield the results of the photographs that nobody has looked at, without those that show none of the classes.

        Those whose boxes are others than what was rejected are among them.
        """
        checked = self.looked_at.checked
        return (
            each
            for each in self.records()
            if each.image_id not in checked
            and self.photographs.labels[each.image_id]
            and not (isinstance(each, ImageResult) and each.verdict == REJECTED)
        )

    def found(self) -> Iterator[ImageResult | Failure]:
        """Yield the results of all photographs without the checked boxes."""
        return self.run.records(self.chunks, self.names) if self.better is None else iter(self.better)

    def learn_from_checked(self) -> str:
        """Let the checked boxes teach how the others are off, and return in words what came; nothing for too few."""
        checked = {name: each.boxes for name, each in self.looked_at.checked.items()}
        if self.seen.features is None or sum(map(len, checked.values())) < FEWEST:
            return ""
        found = list(self.run.records(self.chunks, self.names))
        self.better, corrected = taught(found, checked, pooled_rows(self.seen.features))
        return corrected.line

    def judged_by_eye(self, honest: Honest | None, seed: int) -> tuple[Honest | None, list[str]]:
        """Draw photographs at random, and return the number with the boxes that are rejected still, and it in words.

        Args:
            honest: the number on the checked photographs, or None where too few are looked at.
            seed: another one draws others.
        """
        labels = self.photographs.labels
        read = [each for each in self.records() if isinstance(each, ImageResult) and labels[each.image_id]]
        drawn, path = write_sample([each.image_id for each in read], seed, self.run.folder)
        self.summary.files.append(path)
        self.summary.sample = drawn
        rejected = {each.image_id: max(len(each.boxes), 1) for each in read if each.verdict == REJECTED}
        honest = None if honest is None else replace(honest, rejected=rejected)
        if honest is None or honest.tally()[1] == 0:
            return None, []
        empty = [each.image_id for each in read if not each.boxes and each.verdict != REJECTED]
        return honest, [honest.line, honest.random_line(drawn, empty)]

    def write(self, formats: Sequence[str] = ("coco",), export: Export = PLAIN) -> Verdict | None:
        """Write the files of all photographs, and return the verdict on them.

        Raises:
            DataError: no photograph could be read, or the files cannot be written.
        """
        self.run.check_there()
        self.run.drop_stale(self.chunks)
        folder, summary = self.run.folder, self.summary
        summary.files, lists = write_results(self.records(), folder, self.names, formats, self.settings, export)
        summary.images, summary.failed = lists.images, lists.failed
        summary.without_box, summary.boxes, summary.rejected = lists.without_box, lists.boxes, lists.rejected
        complain_if_none(lists, folder)
        summary.files.append(write_next(self.unchecked(), folder))
        return judge(self.unchecked(), findings_of(self.predictor))

    def tell(self, verdict: str, commands: Sequence[str]) -> None:
        """Say on the page what the boxes look like, and what to do next."""
        self.summary.verdict, self.summary.next_steps = verdict, list(commands)

    def draw(self, most: int, shows: Shows = hidden) -> None:
        """Draw the pictures of the ``most`` doubtful photographs and the page of them; -1 draws all.

        Photographs that show none of the classes are left out, unless somebody has drawn a box there.
        """
        folder = self.run.folder / PICTURES
        labels = self.photographs.labels
        shown = (
            each for each in self.records() if isinstance(each, ImageResult) and (each.boxes or labels[each.image_id])
        )
        pictures = choose_pictures(shown, None if most == ALL else most, self.summary.sample)
        workers = default_workers(self.predictor)
        self.predictor.masks = False  # the results have them
        with shows("drawing", len(pictures)) as advance:
            draw_pictures(self.predictor, pictures, folder, self.photographs.labels, workers, advance)
        drop_other_pictures(pictures, folder)
        failures = (each for each in self.records() if isinstance(each, Failure))
        self.summary.pictures = len(pictures)
        page = write_page(self.run.folder, pictures, failures, self.names, self.settings, self.summary)
        self.summary.files.append(page)


def one_sided(predictor: Predictor) -> Predictor:
    """Return a predictor without masks, whose maps are those of an image alone, without its mirror image's."""
    alone = copy(predictor)
    alone.model = copy(predictor.model)
    alone.model.cam_method = predictor.model.cam_method.one_sided()
    return alone


def findings_of(predictor: Predictor) -> dict[str, float]:
    """Return what the training says of itself, where the head tells."""
    tell = getattr(predictor.model.head, "findings", dict)
    return dict(tell())


def prepare(run: RunFolder, settings: dict[str, Any]) -> None:
    """Make the folder ready for boxes of these settings: parts of other ones are removed, files stay until the end."""
    wanted = json.loads(json.dumps(settings))
    run.drop_drafts()
    if run.is_there() and run.settings() == wanted:
        return
    for name in ("parts", "maps"):
        remove(run.folder / name)
    write_json(run.folder / "run.json", wanted)
