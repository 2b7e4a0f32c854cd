"""Features by the number of the image: from disk where they were kept, else from the backbone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from wsolkit.datasets.image_files import ImageFile
from wsolkit.errors import DataError
from wsolkit.features.chunks import Entry, open_rows, read_chunks, read_header, stamp_of, unpack
from wsolkit.formats.image_headers import displayed_size
from wsolkit.interfaces import KnownLevels

__all__ = ["CachedFeatures", "open_features"]

Again = Callable[[Sequence[int], Sequence[bool]], tuple[np.ndarray, dict[int, str]]]
"""Computes the rows (B, values) of images, some of them mirrored, in half precision, and says why some have none."""


class CachedFeatures:
    """The features of images and of their mirror images.

    Args:
        folder: where they lie.
        images: the images, in the order of their numbers.
        again: computes the rows that were not kept; without it asking for such an image is an error.
        failures: why images could not be read, by number, as far as it is known already.
        header: what the folder's header has to be; None takes whatever is there.

    Attributes:
        size: (H, W) of the network's input.
        sizes: (width, height) of each image itself.
        failures: why images could not be read, by number; of an image that was not kept it may show only when it is
            asked for.
        kept: how many images have their features on disk.

    Raises:
        DataError: the folder holds no features, or those of other weights or another geometry.
    """

    def __init__(
        self,
        folder: str | Path,
        images: Sequence[ImageFile],
        again: Again | None = None,
        failures: Mapping[int, str] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.header: dict[str, Any] = read_header(self.folder)
        if header is not None and self.header != header:
            raise self.replaced()
        self.images = list(images)
        self.again = again
        self.size: tuple[int, int] = tuple(self.header["size"])
        self.mirror: bool = self.header["mirror"]
        by_path = {entry.path: entry for entry in read_chunks(self.folder, self.header)}
        self.entries: list[Entry | None] = [fitting(by_path.get(image.path)) for image in images]
        self.sizes = [(0, 0) if entry is None else entry.size for entry in self.entries]
        self.failures = dict(failures or {})
        for number in (number for number, entry in enumerate(self.entries) if entry is None):
            try:
                self.sizes[number] = displayed_size(images[number].path)
            except DataError as error:
                self.failures[number] = str(error)
        self.kept = sum(entry is not None for entry in self.entries)
        self._arrays: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.images)

    def known(self, indices: Sequence[int], mirrored: bool | Sequence[bool] = False) -> KnownLevels:
        """Return the features of images, which a ``Localizer`` takes in their place.

        Args:
            indices: B numbers of images.
            mirrored: whether the mirror image's are asked for, for all or for each.

        Raises:
            DataError: an image could not be read, or its features were not kept.
        """
        sides = [mirrored] * len(indices) if isinstance(mirrored, bool) else [bool(side) for side in mirrored]
        others = [not side for side in sides]
        turned = (lambda: self.known(indices, others)) if self.mirror else None
        return KnownLevels(self.levels(indices, sides), self.size, turned, self.header["place"])

    def try_known(self, indices: Sequence[int], mirrored: bool | Sequence[bool] = False) -> KnownLevels | None:
        """Return ``known``, or None where an image turns out to be unreadable: ``failures`` names it from then on.

        Raises:
            DataError: see ``known``; not for an image that ``failures`` did not name before.
        """
        before = len(self.failures)
        try:
            return self.known(indices, mirrored)
        except DataError:
            if len(self.failures) == before:
                raise
            return None

    def readable(self, indices: Sequence[int], mirrored: bool = False) -> tuple[list[int], KnownLevels | None]:
        """Return the numbers of those images that can be read and what is known of them, None where none can."""
        known = None
        while (good := [index for index in indices if index not in self.failures]) and known is None:
            known = self.try_known(good, mirrored)
        return good, known

    def levels(self, indices: Sequence[int], mirrored: bool | Sequence[bool] = False) -> dict[str, Tensor]:
        """Return the levels alone, each (B, C, h, w) float32; see ``known``."""
        return unpack(self.rows(indices, mirrored), self.header["shapes"])

    def rows(self, indices: Sequence[int], mirrored: bool | Sequence[bool] = False) -> np.ndarray:
        """Return the rows (B, values) of half precision; see ``known``."""
        sides = [mirrored] * len(indices) if isinstance(mirrored, bool) else [bool(side) for side in mirrored]
        if any(sides) and not self.mirror:
            raise DataError(
                f"The features in {self.folder} are those of the images alone. Compute them with mirror=True."
            )
        missing = [place for place, index in enumerate(indices) if self._entry(index) is None]
        if not missing:
            return np.stack([self._row(index, side) for index, side in zip(indices, sides, strict=True)])
        if self.again is None:
            name = self.images[indices[missing[0]]].image_id
            raise DataError(f"The features of {name} are not in {self.folder}, or the file has changed. Compute them.")
        computed, failures = self.again([indices[place] for place in missing], [sides[place] for place in missing])
        if failures:
            self.failures |= failures
            number, reason = next(iter(failures.items()))
            raise DataError(reason, about=self.images[number].image_id)
        found = np.empty((len(indices), computed.shape[1]), computed.dtype)
        found[missing] = computed
        for place in set(range(len(indices))) - set(missing):
            found[place] = self._row(indices[place], sides[place])
        return found

    def _entry(self, index: int) -> Entry | None:
        if index in self.failures:
            raise DataError(self.failures[index], about=self.images[index].image_id)
        return self.entries[index]

    def _row(self, index: int, mirrored: bool) -> np.ndarray:
        entry = self.entries[index]
        assert entry is not None
        if entry.chunk not in self._arrays:
            self._arrays[entry.chunk] = self._open(entry.chunk)
        row: np.ndarray = self._arrays[entry.chunk][entry.row, int(mirrored)]
        return row

    def _open(self, chunk: int) -> np.ndarray:
        """Return a chunk, which nobody has replaced since: a new header comes before the first new chunk.

        Raises:
            DataError: somebody has.
        """
        try:
            array = open_rows(self.folder, chunk)
            unchanged = read_header(self.folder) == self.header
        except (OSError, DataError) as error:
            raise self.replaced() from error
        if not unchanged:
            raise self.replaced()
        return array

    def replaced(self) -> DataError:
        """Return what is said where features of another model have taken the place of these."""
        return DataError(
            f"The features in {self.folder} are no longer those of this model: something else has put features of "
            "other weights or another geometry there. Start again with a feature_cache.folder of its own, or with "
            "feature_cache.shared, which keeps both."
        )


def fitting(entry: Entry | None) -> Entry | None:
    """Return an entry, unless its file has changed since."""
    return None if entry is None or entry.stamp != stamp_of(entry.path) else entry


def open_features(folder: str | Path) -> CachedFeatures:
    """Return the features in a folder, numbered in the order they were computed in.

    Raises:
        DataError: there are none.
    """
    header = read_header(Path(folder))
    entries = {entry.path: entry for entry in read_chunks(Path(folder), header)}
    return CachedFeatures(folder, [ImageFile(Path(path).name, path) for path in entries])
