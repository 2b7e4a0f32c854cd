"""What every metric has in common: evidence image by image, put together in any order, computed at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Generic, Self, TypeVar

import numpy as np

from wsolkit.errors import ConfigError, DataError
from wsolkit.evaluation.results import Result

__all__ = ["Accumulator"]

Row = TypeVar("Row")


class Accumulator(ABC, Generic[Row]):
    """Collects the evidence of images and computes numbers of it.

    ``measure`` looks at one image and returns what has to be kept of it (small, and picklable); ``update`` keeps it
    under the image's name. Where the numbers are computed does not matter: accumulators of several processes or shards
    are merged, and the result is the same to the last bit as that of one which saw every image, in any order.

    Attributes:
        metric: name of the metric.
        rows: what was kept of each image, by its name.
    """

    metric: str = ""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self.rows)

    @abstractmethod
    def measure(self, *args: Any, **kwargs: Any) -> Row:
        """Return what has to be kept of one image."""

    @abstractmethod
    def compute(self) -> Result:
        """Return the numbers over all images."""

    def settings(self) -> dict[str, Any]:
        """Return what two accumulators must have in common to be merged; plain values and arrays."""
        return {name: value for name, value in vars(self).items() if name != "rows"}

    def update(self, image_id: str, *args: Any, **kwargs: Any) -> None:
        """Measure one image and keep the evidence.

        Args:
            image_id: the image's name; every image counts once.
            *args: see ``measure``.
            **kwargs: see ``measure``.

        Raises:
            DataError: the image is there already.
        """
        self.add(image_id, self.measure(*args, **kwargs))

    def extend(self, images: Iterable[Mapping[str, Any]]) -> None:
        """Update with a batch of images, each the keyword arguments of ``update``."""
        for image in images:
            self.update(**image)

    def add(self, image_id: str, row: Row) -> None:
        """Keep evidence that ``measure`` returned.

        Raises:
            DataError: the image is there already, or its name is no text.
        """
        if not isinstance(image_id, str):
            raise DataError(f"The name of an image should be text, but got {str(image_id)[:40]!r} of {type(image_id)}.")
        if image_id in self.rows:
            raise DataError(
                f"Image {image_id!r} was counted before. Every image counts once: give it another name.", about=image_id
            )
        self.rows[image_id] = row

    def merge(self, other: Self) -> None:
        """Add the evidence of another accumulator of the same settings.

        Raises:
            ConfigError: it measures something else.
            DataError: both have seen the same image.
        """
        if type(other) is not type(self):
            raise ConfigError(f"{type(self).__name__} cannot be merged with {type(other).__name__}.")
        mine, theirs = self.settings(), other.settings()
        for name, value in mine.items():
            if not np.array_equal(value, theirs[name]):
                raise ConfigError(
                    f"Two {type(self).__name__} with different settings cannot be merged: {name} is {value!r} here and "
                    f"{theirs[name]!r} there."
                )
        both = self.rows.keys() & other.rows.keys()
        if both:
            raise DataError(f"Image {min(both)!r} was counted before. Every image counts once: give it another name.")
        self.rows.update(other.rows)

    def ordered(self) -> list[tuple[str, Row]]:
        """Return the rows by image name, so that no number depends on the order they came in.

        Raises:
            DataError: there are none.
        """
        if not self.rows:
            raise DataError(f"{type(self).__name__} has seen no image, so there is nothing to compute.")
        return sorted(self.rows.items(), key=lambda item: item[0])
