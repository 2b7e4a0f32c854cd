"""Computes the features of images with a frozen backbone, chunk by chunk, and keeps as many as there is room for."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from wsolkit.datasets.image_files import ImageFile
from wsolkit.datasets.loading import ImageBatch, load_batches
from wsolkit.errors import ConfigError, DataError, MapError, in_range
from wsolkit.features.cached import CachedFeatures, fitting
from wsolkit.features.chunks import HEADER, Entry, pack, read_chunks, read_header, stamp_of, values_in, write_chunk
from wsolkit.files import write_json
from wsolkit.folders import claim_folder
from wsolkit.interfaces import Levels
from wsolkit.lock import locked
from wsolkit.model.localizer import Localizer
from wsolkit.model.precision import number_format
from wsolkit.model.scored_batch import enough_memory
from wsolkit.progress import Advance, no_progress
from wsolkit.weights.hashes import hash_weights

__all__ = ["compute_features", "count_missing", "features_key", "kept_features"]

FORMAT = 2
CHUNK = 64
"""Images that are written at a time, and lost where a computation is killed."""

AT_ONCE = 4
"""Images that go through the network at a time, with their mirror images: larger maps than of 8 leave the caches."""

LARGEST = 65504.0
"""The largest number of half precision."""


def compute_features(
    model: Localizer,
    images: Sequence[ImageFile],
    folder: str | Path,
    transform: v2.Transform,
    size: tuple[int, int],
    *,
    mirror: bool = True,
    most_gb: float = 4.0,
    level: str | None = None,
    advance: Advance = no_progress,
    num_workers: int = 0,
    computed: Callable[[int], Any] = no_progress,
) -> CachedFeatures:
    """Compute the features of images and their mirror images that a folder does not hold yet.

    What is there already, of the same weights and geometry and of files that have not changed, is kept. The first
    images are kept as long as there is room; the features of the others are computed when they are asked for. What
    could not be read is tried again each time.

    Args:
        model: a localizer; its backbone is run in eval mode and stays as it is.
        images: the images.
        folder: where features are kept; features of other weights or another geometry in it are replaced.
        transform: the pipeline, which does nothing to the geometry but a resize.
        size: (H, W) that it brings images to.
        mirror: whether the mirror images' are computed too.
        most_gb: gigabytes (10^9 bytes) that are kept at most.
        level: the level up to which the backbone runs, with those before it; None for all of it.
        advance: told how many more images are done.
        num_workers: processes that read images; 0 reads in this one.
        computed: told how many images had no features yet and are computed now.

    Returns:
        The features by the number of the image; ``failures`` names images that cannot be read, those that were not kept
        for want of room once they are asked for.

    Raises:
        ConfigError: the folder is a stranger's or in use, or the features are too large for half precision.
        MapError: features of an image hold NaN or infinity.
    """
    in_range("most_gb", most_gb, "at least 0")
    folder = Path(folder)
    computer = Computer(model, images, transform, size, mirror, level)
    with locked(folder, "feature computation", "feature_cache.folder"):
        claim_folder(folder, "features", HEADER, lambda path: read_earlier(path), True, option="feature_cache.folder")
        header = computer.header()
        start(folder, header)
        known = {entry.path: entry for entry in read_chunks(folder, header)}
        room = int(most_gb * 1e9 / (2 * (1 + mirror) * values_in(header["shapes"])))
        room -= len(known)
        stamps = [stamp_of(image.path) for image in images]
        there = [
            image.path in known and known[image.path].stamp == stamp
            for image, stamp in zip(images, stamps, strict=True)
        ]
        todo = [index for index in range(len(images)) if not there[index]][: max(room, 0)]
        advance(sum(there))
        computed(len(todo))
        first = 1 + max((int(path.stem) for path in folder.glob("[0-9]*.npy")), default=-1)
        failures: dict[int, str] = {}
        chunks = [todo[begin : begin + CHUNK] for begin in range(0, len(todo), CHUNK)]
        for number, chunk in enumerate(chunks, first):
            rows, entries = computer.chunk(chunk, [stamps[index] for index in chunk], failures, num_workers, advance)
            if entries:
                write_chunk(folder, number, rows, entries)
    return CachedFeatures(folder, images, computer.rows, failures, header)


def kept_features(
    model: Localizer,
    images: Sequence[ImageFile],
    folder: str | Path,
    transform: v2.Transform,
    size: tuple[int, int],
    level: str | None = None,
) -> CachedFeatures:
    """Return what another process has computed; nothing is written. The others are computed when they are asked for.

    Raises:
        DataError: the folder holds no features, or those of other weights or another geometry.
    """
    mirror = bool(read_header(Path(folder))["mirror"])
    computer = Computer(model, images, transform, size, mirror, level)
    return CachedFeatures(folder, images, computer.rows, header=computer.header())


def features_key(
    model: Localizer, transform: v2.Transform, size: tuple[int, int], mirror: bool, level: str | None = None
) -> str:
    """Return a name for a folder of features of this kind, the same for the same weights, geometry and level."""
    header = Computer(model, (), transform, size, mirror, level).header()
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
    return f"{re.sub(r'[^a-zA-Z0-9.]', '_', level or 'all')}-{digest[:12]}"


def count_missing(
    model: Localizer,
    images: Sequence[ImageFile],
    folder: str | Path,
    transform: v2.Transform,
    size: tuple[int, int],
    *,
    mirror: bool = True,
) -> int:
    """Return of how many images a folder holds no features that ``compute_features`` would keep; nothing is written."""
    folder = Path(folder)
    try:
        header = read_header(folder)
    except DataError:
        return len(images)
    if header != Computer(model, images, transform, size, mirror).header():
        return len(images)
    known = {entry.path: entry for entry in read_chunks(folder, header)}
    return sum(fitting(known.get(image.path)) is None for image in images)


def read_earlier(path: Path) -> None:
    """Look whether a folder's header is one of ours.

    Raises:
        ValueError: it is not.
    """
    try:
        read_header(path.parent)
    except DataError as error:
        raise ValueError(str(error)) from error


def start(folder: Path, header: dict[str, Any]) -> None:
    """Write the header; chunks of other weights or another geometry are removed before."""
    if (folder / HEADER).exists() and read_header(folder) == header:
        return
    for path in [*folder.glob("[0-9]*.json"), *folder.glob("[0-9]*.npy")]:
        path.unlink()
    write_json(folder / HEADER, header)


class Computer:
    """Runs the backbone over images.

    Args:
        model: see ``compute_features``.
        images: the images.
        transform: the pipeline.
        size: (H, W) of its output.
        mirror: whether mirror images are asked for.
        level: the level that the backbone is run to; None for all of it.
    """

    def __init__(
        self,
        model: Localizer,
        images: Sequence[ImageFile],
        transform: v2.Transform,
        size: tuple[int, int],
        mirror: bool,
        level: str | None = None,
    ) -> None:
        self.model = model
        self.images = images
        self.transform = transform
        self.size = size
        self.mirror = mirror
        self.level = level

    def header(self) -> dict[str, Any]:
        """Return what decides the features: their shapes, and a fingerprint of weights, network and geometry."""
        model = self.model
        empty = torch.zeros(1, 3, *self.size, dtype=torch.uint8)
        if self.level is not None:
            self.run(empty)  # the first time, folding norms runs all of the backbone
        with modules_that_run(model.backbone) as ran:
            shapes = {name: list(level.shape[1:]) for name, level in self.run(empty).items()}
        preprocessor = {name: value.tolist() for name, value in model.data_preprocessor.named_buffers()}
        precision = number_format(model.precision, model.device)
        network = repr(model.backbone) if self.level is None else [self.level, *map(str, ran.values())]
        made_of = [FORMAT, network, repr(self.transform), preprocessor, precision, shapes]
        text = json.dumps([hash_weights(model.backbone, None if self.level is None else ran), *made_of])
        return {
            "fingerprint": hashlib.sha256(text.encode()).hexdigest(),
            "shapes": shapes,
            "size": list(self.size),
            "mirror": self.mirror,
            "place": self.level,
        }

    @torch.no_grad()
    def run(self, inputs: Tensor) -> Levels:
        """Return the levels of images (B, 3, H, W) uint8; the model is left in its mode."""
        training = self.model.training
        try:
            with enough_memory(len(inputs)):
                model = self.model.eval()
                images = model.data_preprocessor({"inputs": inputs})["inputs"]
                return model.levels_of(images) if self.level is None else model.levels_to(self.level, images)
        finally:
            self.model.train(training)

    def packed(self, inputs: Tensor, names: Sequence[str]) -> np.ndarray:
        """Return the rows of images, looked through for what is no number.

        Raises:
            MapError: there is some; names the image.
            ConfigError: a number is too large for half precision.
        """
        levels = self.run(inputs)
        rows = pack(levels)
        finite = np.isfinite(rows).all(1)
        if finite.all():
            return rows
        place = int(np.flatnonzero(~finite)[0])
        largest = max(float(level[place].abs().max()) for level in levels.values())
        name = names[place % len(names)]
        if LARGEST < largest < float("inf"):
            raise ConfigError(
                f"The features of {name} reach {largest:.3g}, which half precision does not hold. Leave feature_cache "
                "out."
            )
        raise MapError(
            f"Image {name!r}: the backbone's features hold NaN or infinity. Its weights are broken: take others.",
            about=name,
        )

    def batches(self, indices: Sequence[int], num_workers: int = 0) -> Iterable[ImageBatch]:
        """Yield the images as the network takes them."""
        groups = [indices[begin : begin + AT_ONCE] for begin in range(0, len(indices), AT_ONCE)]
        return load_batches(self.images, self.transform, self.size, groups, num_workers)

    def chunk(
        self,
        indices: Sequence[int],
        stamps: Sequence[tuple[int, int]],
        failures: dict[int, str],
        num_workers: int,
        advance: Advance,
    ) -> tuple[np.ndarray, list[Entry]]:
        """Return the array (n, 1 or 2, values) of a chunk, and its images; ``failures`` gets the others' reasons."""
        paths = [self.images[index].path for index in indices]
        number, stamp = dict(zip(paths, indices, strict=True)), dict(zip(paths, stamps, strict=True))
        rows: list[np.ndarray] = []
        entries: list[Entry] = []
        for batch in self.batches(indices, num_workers):
            failures |= {number[each.path]: each.reason for each in batch.failures}
            count = len(batch.image_ids)
            if count:
                both = torch.cat([batch.inputs, batch.inputs.flip(-1)]) if self.mirror else batch.inputs
                found = self.packed(both, batch.image_ids)
                rows.append(found.reshape(-1, count, found.shape[1]).swapaxes(0, 1))
                begin = len(entries)
                images = zip(batch.paths, batch.sizes, strict=True)
                entries += [Entry(path, stamp[path], size, begin + n) for n, (path, size) in enumerate(images)]
            advance(count + len(batch.failures))
        return np.concatenate(rows) if rows else np.zeros((0, 1 + self.mirror, 0), np.float16), entries

    def rows(self, indices: Sequence[int], mirrored: Sequence[bool]) -> tuple[np.ndarray, dict[int, str]]:
        """Return the rows of images that were not kept, and by number why images cannot be read and have none."""
        found: list[np.ndarray] = []
        failures: dict[int, str] = {}
        for place, batch in zip(range(0, len(indices), AT_ONCE), self.batches(indices), strict=True):
            bad = {each.path: each.reason for each in batch.failures}
            these = list(zip(indices, mirrored, strict=True))[place : place + AT_ONCE]
            paths = [self.images[index].path for index, _ in these]
            failures |= {index: bad[path] for (index, _), path in zip(these, paths, strict=True) if path in bad}
            sides = [side for (_, side), path in zip(these, paths, strict=True) if path not in bad]
            if sides:
                flip = torch.tensor(sides)[:, None, None, None]
                found.append(self.packed(torch.where(flip, batch.inputs.flip(-1), batch.inputs), batch.image_ids))
        return np.concatenate(found) if found else np.zeros((0, 0), np.float16), failures


@contextmanager
def modules_that_run(backbone: nn.Module) -> Iterator[dict[str, str]]:
    """Fill a dict with the modules of a backbone that run, and those that hold them: what each is, by name."""
    ran: dict[str, str] = {}
    names = {module: name for name, module in backbone.named_modules()}

    def note(module: nn.Module, _inputs: Any) -> None:
        ran[names[module]] = f"{names[module]} {type(module).__name__} {module.extra_repr()}"

    handles = [module.register_forward_pre_hook(note) for module in names]
    try:
        yield ran
    finally:
        for handle in handles:
            handle.remove()
        for name in list(ran):
            while name:
                name = name.rpartition(".")[0]
                ran.setdefault(name, name)
