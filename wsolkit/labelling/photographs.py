"""The photographs to label: which there are, what they are labelled with, and which cannot be read."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.registry import DefaultScope

from wsolkit.datasets.image_files import ImageFile
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.found_boxes import Failure
from wsolkit.formats.image_headers import displayed_size
from wsolkit.progress import Shows, hidden
from wsolkit.registry import DATASETS
from wsolkit.threads import default_threads, in_order

__all__ = ["Photographs", "check_places", "read_photographs"]


@dataclass(frozen=True)
class Photographs:
    """What there is to label.

    Attributes:
        dataset: the configuration of the data set that holds all of them.
        files: every photograph, with its name.
        labels: the classes of each, by its name.
        classes: the names of the classes.
        multi_label: whether several classes may be in one photograph.
        lines: how they were read, in words.
        doubts: places by what is in doubt about them.
        unreadable: those whose files are no images.
    """

    dataset: dict[str, Any]
    files: list[ImageFile]
    labels: dict[str, list[int]]
    classes: tuple[str, ...]
    multi_label: bool
    lines: Sequence[str]
    doubts: dict[str, list[str]]
    unreadable: list[Failure]

    def fingerprint(self) -> str:
        """Return a digest of the names and the labels."""
        text = json.dumps([self.classes, self.labels], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def check_places(photos: Path, out: Path) -> None:
    """Look whether there are photographs and whether results may lie where they are to.

    Raises:
        DataError: there is no folder of photographs.
        ConfigError: results and photographs would share a folder.
    """
    if not photos.is_dir():
        what = "a file" if photos.exists() else "no such folder"
        raise DataError(
            f"Photographs should be in {photos}, with a folder for each class, but there is {what}. Check the path."
        )
    here, there = photos.resolve(), out.resolve()
    if there.is_relative_to(here) or here.is_relative_to(there):
        raise ConfigError(
            f"--out {out} and the photographs in {photos} share a folder. Choose a folder beside the photographs."
        )


def dataset_of(photos: Path, labels: Path | None = None, background: Sequence[str] = ()) -> dict[str, Any]:
    """Return the configuration of the data set that holds all photographs below a folder.

    Args:
        photos: the folder.
        labels: the table of labels, where folders are no classes.
        background: classes of photographs that show nothing.
    """
    told: dict[str, Any] = {} if labels is None else {"labels": str(labels.resolve())}
    if background:
        told["background"] = list(background)
    return {"type": "ImageFolder", "data_root": str(photos.resolve()), "split": "all", **told}


def read_photographs(dataset: dict[str, Any], shows: Shows = hidden) -> Photographs:
    """Read names and labels of all photographs, and the first bytes of each file.

    Args:
        dataset: the configuration of the data set.
        shows: gives a progress display for a task's name and number of images.

    Raises:
        DataError: there are none, or none can be read.
    """
    with warnings.catch_warnings(), DefaultScope.overwrite_default_scope(DATASETS.scope):
        warnings.simplefilter("ignore")  # what is in doubt is said by ``doubts``
        built = DATASETS.build(dataset)
    records = [built.record(index) for index in range(len(built))]
    files = [ImageFile(record["image_id"], record["image_path"]) for record in records]
    with shows("reading", len(files)) as advance:
        unreadable = []
        for failure in in_order(check_file, files, default_threads()):
            advance(1)
            unreadable += [failure] if failure is not None else []
    if len(unreadable) == len(files):
        raise DataError(f"None of the {len(files)} photographs can be read. The first: {unreadable[0].reason}")
    understood = built.understood()
    return Photographs(
        dataset=dataset,
        files=files,
        labels={record["image_id"]: list(record["labels"]) for record in records},
        classes=built.classes,
        multi_label=built.multi_label,
        lines=list(understood.lines),
        doubts={what: list(places) for what, places in understood.doubts.items()},
        unreadable=unreadable,
    )


def check_file(image: ImageFile) -> Failure | None:
    """Return why the file of a photograph is no image, or None where it looks like one."""
    try:
        displayed_size(image.path)
    except DataError as error:
        return Failure(*image, str(error))
    return None
