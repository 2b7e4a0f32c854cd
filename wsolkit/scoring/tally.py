"""What protocols keep of the images of a split: of the scored maps, and of the trivial baselines beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wsolkit.errors import ConfigError
from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.baselines import BASELINES, drawn_map
from wsolkit.evaluation.box_protocols import LocalizationProtocol
from wsolkit.evaluation.label_free import LabelFreeThreshold
from wsolkit.evaluation.mean_box import MEAN_BOX, MeanBox, box_map
from wsolkit.evaluation.mean_iou import MeanIoU
from wsolkit.evaluation.protocol import BOXES, Protocol
from wsolkit.evaluation.results import FIXED, LABEL_FREE, VAL
from wsolkit.evaluation.scored_image import ScoredImage

__all__ = [
    "CHOOSER",
    "SCORED",
    "LabelFreeProtocol",
    "Rows",
    "Tally",
    "chosen_cut",
    "distinct_maps",
    "label_free_cut",
    "mean_box_of",
]

SCORED = "model"
"""The maps that are scored, among the baselines."""

CHOOSER = "threshold"
"""The accumulator that chooses where protocols without thresholds of their own cut: by the largest component's box."""

Rows = dict[str, dict[str, Any]]
"""What is kept of one image, by the maps (``SCORED`` or a baseline) and the protocol; picklable."""


class LabelFreeProtocol(Protocol):
    """What chooses a threshold from the maps of a split alone; see ``LabelFreeThreshold``. It has no number."""

    name = LABEL_FREE
    summary = "a threshold from the maps alone"
    needs = frozenset()
    by_default = False

    def make(self, num_classes: int) -> LabelFreeThreshold:
        """Return the accumulator."""
        return LabelFreeThreshold()

    def measure(self, accumulator: LabelFreeThreshold, image: ScoredImage) -> Any:
        """Measure the map of every class that is there, each once."""
        shown = distinct_maps(image)
        return accumulator.measure(*shown) if shown else None


class MeanBoxProtocol(Protocol):
    """What collects the boxes of a split for the mean box, a baseline of another split. It has no number."""

    name = MEAN_BOX
    summary = "the mean of the true boxes"
    needs = frozenset({BOXES})
    by_default = False

    def make(self, num_classes: int) -> MeanBox:
        """Return the accumulator."""
        return MeanBox()

    def measure(self, accumulator: MeanBox, image: ScoredImage) -> Any:
        """Measure the boxes that are not difficult."""
        targets = image.targets
        if targets is None or targets.difficult.all():
            return None
        return accumulator.measure(targets.boxes[~targets.difficult], targets.size)


def distinct_maps(image: ScoredImage) -> list[np.ndarray]:
    """Return the maps of the classes that are in an image, each once where several classes share one."""
    return list({id(image.maps[k]): image.maps[k] for k in image.present if k in image.maps}.values())


class Tally:
    """The accumulators of a split; each image is measured once, by every protocol.

    Args:
        protocols: the protocols; those that do not sweep are at their thresholds.
        num_classes: how many classes there are.
        cuts: where protocols that do not sweep cut, by the maps (``SCORED`` or a baseline); CAM's 0.2 where none is
            given.
        selection: how these were chosen.
        choosing: whether the split is one to choose thresholds on: protocols that try none are left out, and what
            chooses for them is added.
        mean_box: the mean box of the split thresholds were chosen on, in fractions of an image; it is one more
            baseline where it is known.
    """

    def __init__(
        self,
        protocols: Sequence[Protocol],
        num_classes: int,
        cuts: Mapping[str, float] | None = None,
        selection: str = FIXED,
        choosing: bool = False,
        mean_box: tuple[float, float, float, float] | None = None,
    ) -> None:
        self.mean_box = mean_box
        cuts = cuts or {}
        chooser = LocalizationProtocol()
        asked = [each for each in protocols if each.sweeps] if choosing else list(protocols)
        chooses = choosing and any(BOXES in each.needs for each in protocols)

        def at(name: str, each: Protocol) -> Protocol:
            return each if each.sweeps or name not in cuts else each.at(cuts[name], selection)

        self.protocols: dict[str, dict[str, Protocol]] = {SCORED: {each.name: at(SCORED, each) for each in asked}}
        for name in (*BASELINES, *([MEAN_BOX] if mean_box is not None else ())):
            own = {each.name: at(name, type(each)()) for each in asked if each.judges_maps}
            if own or chooses:
                self.protocols[name] = own
        if any(BOXES in each.needs and each.sweeps for each in asked):
            for each in self.protocols.values():
                each[LABEL_FREE] = LabelFreeProtocol()
        if chooses:
            for each in self.protocols.values():
                each[CHOOSER] = chooser
            self.protocols[SCORED][MEAN_BOX] = MeanBoxProtocol()
        self.accumulators: dict[str, dict[str, Accumulator[Any]]] = {
            name: {key: each.make(num_classes) for key, each in own.items()} for name, own in self.protocols.items()
        }

    def check_threshold(self, threshold: float) -> None:
        """Complain now, not after an hour, about a fixed threshold that a protocol does not try.

        Raises:
            ConfigError: it is no fraction, or is none that a protocol tries.
        """
        if not 0 <= threshold < 1:
            raise ConfigError(f"--threshold should be a fraction in [0, 1), but got {threshold:g}.")
        for own in self.accumulators[SCORED].values():
            if isinstance(own, MeanIoU):
                own.place_of(threshold, FIXED)

    def rows(self, image: ScoredImage) -> Rows:
        """Return what every protocol keeps of an image; safe to call from several threads."""
        found: Rows = {}
        for name, own in self.protocols.items():
            seen = image if name == SCORED else with_drawn_map(image, name, self.mean_box)
            found[name] = {key: each.row(self.accumulators[name][key], seen) for key, each in own.items()}
        return found

    def add(self, image_id: str, rows: Rows) -> None:
        """Keep what ``rows`` returned of an image."""
        for name, own in rows.items():
            for key, row in own.items():
                if row is not None:
                    self.accumulators[name][key].add(image_id, row)

    def seen(self, name: str, key: str) -> Accumulator[Any] | None:
        """Return the accumulator of a protocol, or None where no image was a trial."""
        own = self.accumulators.get(name, {}).get(key)
        return own if own is not None and len(own) else None

    @property
    def trials(self) -> int:
        """How many images had something to hit by the first protocol that tries every threshold on boxes."""
        for key, each in self.protocols[SCORED].items():
            if BOXES in each.needs and each.sweeps:
                return len(self.accumulators[SCORED][key])
        return 0


def with_drawn_map(
    image: ScoredImage, baseline: str, mean_box: tuple[float, float, float, float] | None = None
) -> ScoredImage:
    """Return an image whose classes all have the map of a baseline, at the size of its own maps, and no logits."""
    shape = next((np.shape(each) for each in image.maps.values()), (1, 1))
    height, width = shape if len(shape) == 2 else (1, 1)
    size = int(height), int(width)
    drawn = box_map(mean_box, size) if baseline == MEAN_BOX and mean_box is not None else drawn_map(baseline, size)
    return ScoredImage(image.image_id, dict.fromkeys(image.present, drawn), image.label, None, image.targets)


def chosen_cut(tally: Tally, name: str) -> tuple[float, str] | None:
    """Return where the largest component's box hits most on a split, and how that was chosen; None without boxes."""
    own: Any = tally.seen(name, CHOOSER)
    return None if own is None else (own.best_threshold(), VAL)


def mean_box_of(tally: Tally | None) -> tuple[float, float, float, float] | None:
    """Return the mean box of a split in fractions of an image, or None where it has no box."""
    own: Any = None if tally is None else tally.seen(SCORED, MEAN_BOX)
    return None if own is None else own.box()


def label_free_cut(name: str, *tallies: Tally | None) -> float | None:
    """Return where the maps of the first split that has some are to be cut, chosen without boxes; None without maps."""
    for tally in tallies:
        own: Any = None if tally is None else tally.seen(name, LABEL_FREE)
        if own is not None:
            return float(own.best_threshold())
    return None
