"""What a published protocol is, and the door by which a plugin adds one: a class that says what it measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from wsolkit.errors import naming
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.results import FIXED, Result
from wsolkit.evaluation.scored_image import ScoredImage

if TYPE_CHECKING:
    from wsolkit.evaluation.top_k_localization import Extractor

__all__ = ["BOXES", "LOGITS", "MASKS", "MULTI_LABEL", "SINGLE_LABEL", "Protocol"]

BOXES, MASKS, LOGITS = "boxes", "masks", "logits"
SINGLE_LABEL, MULTI_LABEL = "one label per image", "several labels per image"

CAM_THRESHOLD = 0.2
"""Where CAM's paper cuts a map; of a protocol that tries no threshold and is given none."""


class Protocol(ABC):
    """One published way to judge score maps or class scores.

    A plugin adds one by returning a subclass from ``wsolkit_components``: it is then offered by ``wsolkit test`` and
    ``evaluate --protocol``, by ``ProtocolMetric`` in validations, and stands in ``compare``, ``list`` and ``show``.
    Subclasses set ``name``, ``summary`` and ``needs`` and override ``make`` and ``measure``. One is built as
    ``kind(extractor)`` for a model, and without arguments, ``kind()``, for score maps from files and for the trivial
    baselines, so a subclass with an ``__init__`` of its own needs defaults for all it takes.

    Args:
        extractor: the model's ``BoxExtractor``, for protocols that judge the boxes which a model predicts
            (``uses_extractor``); None for the largest component's box.

    Attributes:
        name: its name on command lines, in tables and in files.
        summary: what it measures, in a line.
        needs: what the data has to have: ``BOXES``, ``MASKS``, ``LOGITS``, ``SINGLE_LABEL`` or ``MULTI_LABEL``.
        sweeps: whether its accumulator tries every threshold itself; else ``threshold`` counts.
        uses_extractor: whether it judges boxes of the model's extractor; others have a rule of their own.
        by_default: whether it is computed where nobody names protocols.
        threshold: the box threshold of a protocol that does not sweep.
        selection: how that threshold was chosen, ``FIXED`` or ``VAL``.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    needs: ClassVar[frozenset[str]]
    sweeps: ClassVar[bool] = True
    uses_extractor: ClassVar[bool] = False
    by_default: ClassVar[bool] = True

    def __init__(self, extractor: Extractor | None = None) -> None:
        self.extractor = extractor if self.uses_extractor else None
        self.threshold: float | None = None
        self.selection = FIXED

    @abstractmethod
    def make(self, num_classes: int) -> Accumulator[Any]:
        """Return an empty accumulator for data of so many classes."""

    @abstractmethod
    def measure(self, accumulator: Any, image: ScoredImage) -> Any:
        """Return what the accumulator keeps of an image (picklable), or None where the image is no trial."""

    def at(self, threshold: float, selection: str = FIXED) -> Self:
        """Return the protocol at a box threshold, and how that was chosen, for one that does not sweep."""
        other = copy(self)
        other.threshold, other.selection = threshold, selection
        return other

    @property
    def cut(self) -> float:
        """The box threshold of a protocol that does not sweep; CAM's 0.2 where none was given."""
        return CAM_THRESHOLD if self.threshold is None else self.threshold

    @property
    def judges_maps(self) -> bool:
        """Whether it judges maps by themselves, so that a map which does not look at the image can stand beside."""
        return LOGITS not in self.needs and bool(self.needs & {BOXES, MASKS})

    def row(self, accumulator: Accumulator[Any], image: ScoredImage) -> Any:
        """Return what ``measure`` returns.

        Raises:
            DataError: something of the image is wrong; the message names the image, also that of other errors.
        """
        with naming(image.image_id):
            return self.measure(accumulator, image)

    def result(self, accumulator: Accumulator[Any], threshold: float | Accumulator[Any] | None = None) -> Result:
        """Return the numbers of an accumulator, under the protocol's name.

        Args:
            accumulator: one that ``make`` built.
            threshold: of a protocol that sweeps, see the accumulator's ``compute``.
        """
        if self.sweeps:
            return replace(accumulator.compute(threshold), metric=self.name)  # type: ignore[call-arg]
        found = accumulator.compute()
        if BOXES in self.needs:
            selection = self.selection + ("" if self.threshold is not None else ", CAM's 0.2")
            lines = tuple(replace(line, threshold=self.cut, selection=self.selection) for line in found.lines)
            conventions: Mapping[str, str] = {**found.conventions, "threshold selection": selection}
            found = replace(found, lines=lines, conventions=conventions)
        return replace(found, metric=self.name)
