"""Finds the boxes of all photographs with the learnt map, and writes them in every format that is asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsolkit.config.load_model import load_model
from wsolkit.files import write_json
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.writer import remove
from wsolkit.inference.predictor import Predictor
from wsolkit.inference.ranks import started_ranks
from wsolkit.inference.run_folder import CHUNK_SIZE, RunFolder, cut
from wsolkit.inference.run_summary import RunSummary
from wsolkit.inference.to_folder import compute, default_workers, draw_all, finish, settings_of, to_do
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.state import CHECKPOINT, CONFIG
from wsolkit.progress import Shows, hidden

__all__ = ["Boxes"]


class Boxes:
    """The boxes of photographs, found with the map beside them.

    Args:
        photographs: what to label.
        out: the folder of the labels.
        threshold: where maps are cut; as the map's configuration says by default.
        device: where to compute.
    """

    def __init__(
        self, photographs: Photographs, out: Path, threshold: float | None = None, device: str | None = None
    ) -> None:
        self.photographs = photographs
        self.run = RunFolder(out)
        loaded = load_model(out / CHECKPOINT, device=device)
        self.predictor = Predictor(
            loaded.model,
            loaded.pipeline,
            photographs.classes,
            multi_label=photographs.multi_label,
            threshold=threshold,
            device=device,
            origin={**loaded.origin, "config": CONFIG},
        )
        self.settings: dict[str, Any] = settings_of(
            self.predictor, [photographs.dataset["data_root"]], "given", CHUNK_SIZE
        )
        self.chunks = cut(photographs.files, CHUNK_SIZE, photographs.labels)
        self.summary = RunSummary(out, total=len(photographs.files))
        self.workers = default_workers(self.predictor)

    def find(self, shows: Shows = hidden) -> None:
        """Find the boxes of the photographs that have none yet."""
        prepare(self.run, self.settings)
        size = self.predictor.input_size
        left = [chunk for chunk in self.chunks if to_do(self.run, chunk, False, size)]
        count = sum(chunk.stop - chunk.start for chunk in left)
        self.summary.before, self.summary.computed = self.summary.total - count, count
        with shows("boxes", count) as advance:
            begun = time.perf_counter()
            images, labels = self.photographs.files, self.photographs.labels
            compute(self.predictor, images, left, self.run, labels, False, self.workers, advance)
            self.summary.seconds = time.perf_counter() - begun

    def write(self, formats: Sequence[str] = ("coco",), export: Export = PLAIN) -> None:
        """Write the files of all photographs.

        Raises:
            DataError: no photograph could be read, or the files cannot be written.
        """
        names = self.predictor.categories(self.photographs.labels)
        finish(self.run, self.chunks, names, formats, self.settings, self.summary, export)

    def draw(self, most: int, shows: Shows = hidden) -> None:
        """Draw the pictures of the ``most`` doubtful photographs and the page of them; -1 draws all."""
        with started_ranks() as ranks:
            draw_all(
                self.predictor, self.run, self.chunks, self.photographs.labels, most, self.workers, ranks,
                self.summary, self.settings, shows,
            )  # fmt: skip


def prepare(run: RunFolder, settings: dict[str, Any]) -> None:
    """Make the folder ready for boxes of these settings: parts of other ones are removed, files stay until the end."""
    wanted = json.loads(json.dumps(settings))
    run.drop_drafts()
    if run.is_there() and run.settings() == wanted:
        return
    for name in ("parts", "maps"):
        remove(run.folder / name)
    write_json(run.folder / "run.json", wanted)
