"""The folder predictions grow in, chunk by chunk, so that a run can be stopped at any moment and taken up again.

The images are cut into chunks. The results of a chunk are one file in ``parts/``, written whole or not at all; the
score maps of a chunk, where they are asked for, one file in ``maps/``. A chunk's files are named after a digest of its
images' names, paths, sizes and times of change: a chunk is done if its file is there, whoever wrote it, and is computed
anew if one of its images has changed. ``run.json`` holds the settings all parts were made with.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zlib import crc32

from wsolkit.datasets.image_files import ImageFile
from wsolkit.errors import ConfigError, DataError
from wsolkit.files import half_written, write_json, write_text
from wsolkit.folders import check_no_links, claim_folder
from wsolkit.formats.found_boxes import Failure, ImageResult, from_line, to_line
from wsolkit.formats.score_maps import ImageMaps, write_score_maps
from wsolkit.formats.writer import remove

__all__ = ["CHUNK_SIZE", "PICTURES", "Chunk", "RunFolder", "cut"]

CHUNK_SIZE = 128
SETTINGS = "run.json"
PARTS = "parts"
MAPS = "maps"
PICTURES = "pictures"
OURS = (
    SETTINGS, PARTS, MAPS, PICTURES, "index.html", "voc", "yolo", "yolo-seg", "masks", "boxes.json", "dataset.json",
    "boxes.csv", "failed.csv", "without_box.csv", "rejected.csv", "labelstudio.json", "labelstudio.xml", "cvat.json",
)  # fmt: skip
"""Everything a run may write into its folder."""


@dataclass(frozen=True)
class Chunk:
    """Some consecutive images: ``images[start:stop]``, known by ``name``."""

    start: int
    stop: int
    name: str


def cut(
    images: Sequence[ImageFile], size: int = CHUNK_SIZE, marks: Mapping[str, object] = MappingProxyType({})
) -> list[Chunk]:
    """Cut the images into chunks of about ``size``, at least half and at most twice as many.

    Where a chunk ends depends on the name of its last image alone, so that an image more or less changes the chunk it
    is in and, at most, a few after it. ``marks`` holds, by an image's name, what else decides its results, such as the
    classes it is labelled with.

    >>> chunks = cut([ImageFile(f"{number}.jpg", "") for number in range(1000)], 100)
    >>> chunks[0].start, chunks[-1].stop, all(chunk.stop - chunk.start <= 200 for chunk in chunks)
    (0, 1000, True)
    """
    chunks = []
    start = 0
    for number, image in enumerate(images, start=1):
        count = number - start
        ends = count >= size / 2 and crc32(image.image_id.encode("utf-8", "surrogateescape")) % (size // 2 + 1) == 0
        if ends or count == 2 * size or number == len(images):
            chunks.append(Chunk(start, number, digest(images[start:number], marks)))
            start = number
    return chunks


def digest(images: Sequence[ImageFile], marks: Mapping[str, object] = MappingProxyType({})) -> str:
    """Return a digest of images' names, paths, sizes and times of change, and of what else decides their results."""
    found = hashlib.sha256()
    for image in images:
        try:
            stat = Path(image.path).stat()
            state = (stat.st_size, stat.st_mtime_ns)
        except OSError:
            state = (-1, -1)
        mark = (marks[image.image_id],) if image.image_id in marks else ()
        found.update(repr((image, state, *mark)).encode("utf-8", "surrogateescape"))
    return found.hexdigest()[:20]


class RunFolder:
    """A folder of predictions.

    Args:
        folder: where to write.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def prepare(self, settings: Mapping[str, Any], overwrite: bool = False) -> bool:
        """Make the folder ready, and return whether it holds results of the same settings to go on with.

        Args:
            settings: everything that decides what the results are; plain JSON.
            overwrite: remove results of other settings, instead of refusing.

        Raises:
            ConfigError: the folder holds results of other settings, or something else altogether, or one of its own
            folders is a link.
        """
        wanted = json.loads(json.dumps(settings))

        def other_settings(_: Path) -> str | None:
            found = self.settings()
            keys = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
            changes = ", ".join(f"{key} was {found.get(key)!r} and is {wanted.get(key)!r} now" for key in keys)
            return f"predictions made with other settings: {changes}" if keys else None

        begun = claim_folder(self.folder, "predictions", SETTINGS, other_settings, overwrite, writer="wsolkit predict")
        check_no_links(self.folder, (PARTS, MAPS, PICTURES))
        self.drop_drafts()
        if begun and not overwrite:
            return True
        if begun:
            self.clear()
        try:
            write_json(self.folder / SETTINGS, wanted)
        except OSError as error:
            why = error.strerror or error
            raise ConfigError(f"{self.folder} cannot be written to: {why}. Choose another --out.") from error
        return False

    def settings(self) -> dict[str, Any]:
        """Return the settings of the run.

        Raises:
            DataError: they are missing or damaged.
        """
        path = self.folder / SETTINGS
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise ValueError(f"it should hold settings by name, but holds {str(content)[:40]!r}")
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(
                f"{path} cannot be read ({error}), so the run cannot go on. Choose another --out, or remove the file "
                "and what lies beside it."
            ) from error
        return content

    def is_there(self) -> bool:
        """Whether the folder is still the one that was made ready: it holds its settings."""
        return (self.folder / SETTINGS).exists()

    def check_there(self) -> None:
        """Refuse to write to a folder without settings: the next run could not go on in it.

        Raises:
            DataError: somebody has removed it, or replaced it.
        """
        if not self.is_there():
            raise DataError(
                f"{self.folder / SETTINGS} is gone: somebody has removed the folder while it was written to. Run the "
                "same command again, and leave the folder alone."
            )

    def clear(self) -> None:
        """Remove everything a run may have written; the settings go last."""
        for name in (*OURS[1:], SETTINGS):
            remove(self.folder / name)

    def part(self, chunk: Chunk) -> Path:
        """Return the file of a chunk's results."""
        return self.folder / PARTS / f"part-{chunk.name}.jsonl"

    def maps(self, chunk: Chunk) -> Path:
        """Return the file of a chunk's score maps."""
        return self.folder / MAPS / f"maps-{chunk.name}.npz"

    def done(self, chunk: Chunk, with_maps: bool = False) -> bool:
        """Whether a chunk's results (and maps) are there."""
        return self.part(chunk).exists() and (not with_maps or self.maps(chunk).exists())

    def write(self, chunk: Chunk, results: Sequence[ImageResult | Failure], with_maps: bool = False) -> None:
        """Write the results of a chunk, and its score maps where they are asked for.

        Raises:
            DataError: they cannot be written, or the folder was removed.
        """
        self.check_there()
        read = [result for result in results if isinstance(result, ImageResult)]
        try:
            if with_maps:
                write_score_maps(self.maps(chunk), {each.image_id: ImageMaps(each.maps, each.size) for each in read})
            write_text(self.part(chunk), "".join(to_line(result) + "\n" for result in results))
        except OSError as error:
            raise DataError(
                f"Results cannot be written to {self.folder}: {error.strerror or error}. Make room or check the "
                "rights, and run the same command again; what is there is kept."
            ) from error

    def read(self, chunk: Chunk, classes: tuple[str, ...]) -> list[ImageResult | Failure]:
        """Return the results of a chunk.

        Raises:
            DataError: its file is missing or damaged.
        """
        found = self.lines(chunk, classes)
        path = self.part(chunk)
        twice = [name for name, count in Counter(each.image_id for each in found).items() if count > 1]
        if twice:
            raise DataError(f"{path} holds image {twice[0]!r} twice. Remove it and run the same command again.")
        if len(found) != chunk.stop - chunk.start:
            raise DataError(
                f"{path} holds {len(found)} results instead of {chunk.stop - chunk.start}. Remove it and run the same "
                "command again."
            )
        return found

    def lines(
        self, chunk: Chunk, classes: tuple[str, ...], wanted: Callable[[str], bool] = bool
    ) -> list[ImageResult | Failure]:
        """Return the results of a chunk whose lines are wanted.

        Raises:
            DataError: its file is missing or damaged.
        """
        path = self.part(chunk)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            return [from_line(line, classes) for line in lines if wanted(line)]
        except FileNotFoundError as error:
            raise DataError(
                f"{path} is missing: the images have changed during the run. Run the same command again."
            ) from error
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is damaged ({error}). Remove it and run the same command again.") from error

    def records(self, chunks: Sequence[Chunk], classes: tuple[str, ...]) -> Iterator[ImageResult | Failure]:
        """Yield every result, in the order of the images, one chunk in memory at a time."""
        for chunk in chunks:
            yield from self.read(chunk, classes)

    def failures(self, chunk: Chunk) -> list[Failure]:
        """Return the images of a finished chunk that could not be read.

        Raises:
            DataError: its file is missing or damaged.
        """
        found = self.lines(chunk, (), lambda line: '"error":' in line)
        return [each for each in found if isinstance(each, Failure)]

    def drop_stale(self, chunks: Sequence[Chunk]) -> None:
        """Remove parts and maps of images that have changed or are gone, and half-written files."""
        wanted = {path for chunk in chunks for path in (self.part(chunk), self.maps(chunk))}
        for ours in (f"{PARTS}/part-*.jsonl", f"{MAPS}/maps-*.npz"):
            for path in self.folder.glob(ours):
                if path not in wanted:
                    path.unlink(missing_ok=True)
        halves = [path for inner in (".", PARTS, MAPS, PICTURES) for path in half_written(self.folder / inner)]
        for path in halves:
            remove(path)
        self.drop_drafts()

    def drop_drafts(self) -> None:
        """Remove what a run that was killed had written of its final files."""
        for path in self.folder.glob(".*.draft"):
            remove(path)
