"""Writes the results of a run in any number of formats in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError, DataError, nearest
from wsolkit.formats.coco import CocoWriter
from wsolkit.formats.csv_boxes import CsvWriter, ListsWriter
from wsolkit.formats.cvat import CvatWriter
from wsolkit.formats.export import PLAIN, Export
from wsolkit.formats.found_boxes import Failure, ImageResult
from wsolkit.formats.label_studio import LabelStudioWriter
from wsolkit.formats.mask_folder import MaskWriter
from wsolkit.formats.voc import VocWriter
from wsolkit.formats.writer import Writer
from wsolkit.formats.yolo import YoloSegWriter, YoloWriter

__all__ = ["FORMATS", "check_formats", "formats_in", "write_results"]

FORMATS: dict[str, type[Writer]] = {
    "coco": CocoWriter,
    "voc": VocWriter,
    "yolo": YoloWriter,
    "csv": CsvWriter,
    "yolo-seg": YoloSegWriter,
    "masks": MaskWriter,
    "labelstudio": LabelStudioWriter,
    "cvat": CvatWriter,
}
"""The formats by the names ``--format`` takes."""


def check_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """Return the formats, each once.

    Raises:
        ConfigError: one is unknown.

    >>> check_formats(["coco", "yolo", "coco"])
    ('coco', 'yolo')
    """
    names = list(formats)
    for name in names:
        if name not in FORMATS:
            raise ConfigError(f"There is no format {name!r}. {nearest(name, FORMATS)}")
    return tuple(dict.fromkeys(names))


def formats_in(folder: Path) -> tuple[str, ...]:
    """Return the formats of which a folder holds something."""
    return tuple(name for name, kind in FORMATS.items() if any((folder / output).exists() for output in kind.outputs))


def write_results(
    records: Iterable[ImageResult | Failure],
    folder: Path,
    classes: Sequence[str],
    formats: Iterable[str] = ("coco",),
    about: Mapping[str, Any] | None = None,
    export: Export = PLAIN,
) -> tuple[list[Path], ListsWriter]:
    """Write every result in every format, in one pass; nothing changes in ``folder`` before all are complete.

    Images whose boxes a person has rejected are in no format that is trained from, as if they could not be read; in
    those that boxes are drawn in they have none. ``rejected.csv`` lists them.

    Args:
        records: what was found in each image.
        folder: where to write.
        classes: names of the classes, by index.
        formats: any of ``FORMATS``.
        about: what the results were made with.
        export: how YOLO's and VOC's folders are written.

    Returns:
        the files and folders written, and the counts.

    Raises:
        ConfigError: a format is unknown.
        DataError: the folder cannot be written to.
    """
    kinds = [FORMATS[name] for name in check_formats(formats)]
    try:
        with ExitStack() as stack:
            lists = stack.enter_context(ListsWriter(folder, classes, about or {}, export))
            writers = [stack.enter_context(kind(folder, classes, about or {}, export)) for kind in kinds] + [lists]
            for result in records:
                for writer in writers:
                    writer.add(result if writer is lists else seen_by(writer, result))
            for writer in writers:
                writer.close()
            for draft in (writer.draft(name) for writer in writers for name in writer.outputs):
                draft.stat()  # before the first is published: somebody may have removed the folder
            return [path for writer in writers for path in writer.publish()], lists
    except OSError as error:
        raise DataError(
            f"The results cannot be written to {folder}: {error.strerror or error}. Make room or check the rights, and "
            "run the same command again; nothing has to be computed twice."
        ) from error


def seen_by(writer: Writer, result: ImageResult | Failure) -> ImageResult | Failure:
    """Return what a writer is told of an image: of one whose boxes were rejected, no box, or that it is left out."""
    if isinstance(result, Failure) or not result.refused:
        return result
    if writer.to_correct:
        return replace(result, boxes=[])
    return Failure(result.image_id, result.path, "its boxes were rejected")
