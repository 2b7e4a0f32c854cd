"""The interfaces of parts that work on arrays and files; see ``wsolkit.interfaces``. No torch is needed here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np

from wsolkit.arguments import Checked
from wsolkit.interfaces.arrays import Panel, Refined, ScoredBoxes

__all__ = ["BoxExtractor", "Refiner", "Stage"]


class BoxExtractor(Checked, ABC):
    """Finds scored boxes in a score map.

    Args:
        threshold: the cut as a fraction of the map's maximum, in [0, 1); strictly larger scores are inside.

    Attributes:
        chooses_threshold: whether it cuts each map where it chooses itself, and ``threshold`` only serves where it
            cannot. No threshold is chosen on a validation for such an extractor.
    """

    chooses_threshold: ClassVar[bool] = False

    def __init__(self, threshold: Annotated[float, "in [0, 1)"] = 0.2) -> None:
        self.threshold = threshold

    @abstractmethod
    def __call__(self, score_map: np.ndarray, features: np.ndarray | None = None) -> ScoredBoxes:
        """Return boxes in pixels of the map, best first.

        Args:
            score_map: (H, W) in [0, 1].
            features: (C, h, w) last features of the image, for extractors that compare them.
        """

    def with_notes(
        self, score_map: np.ndarray, features: np.ndarray | None = None
    ) -> tuple[ScoredBoxes, Mapping[str, Any]]:
        """Return the boxes, and as plain JSON data what was decided on the way to them, which results keep.

        An extractor that decides something for each image overrides this; the others have nothing to say.

        Args:
            score_map: (H, W) in [0, 1].
            features: (C, h, w) last features of the image, for extractors that compare them.
        """
        return self(score_map, features), {}

    def panels(self, score_map: np.ndarray, features: np.ndarray | None = None) -> Sequence[Panel]:
        """Return pictures of how the boxes were found; none by default. ``wsolkit predict --panels`` draws them."""
        return ()

    def sweep(
        self, score_map: np.ndarray, thresholds: Sequence[float], features: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the best box at each threshold, (T, 4) in pixels of the map; all 0 where there is none.

        An extractor that can find them all in one pass over the map overrides this. One that chooses its own threshold
        is asked once.

        Args:
            score_map: (H, W) in [0, 1].
            thresholds: fractions of the map's maximum in [0, 1).
            features: (C, h, w) last features of the image, for extractors that compare them.
        """
        kept = self.threshold
        found = np.zeros((len(thresholds), 4))
        if self.chooses_threshold:
            boxes = self(score_map, features).boxes
            found[:] = boxes[0] if len(boxes) else 0
            return found
        try:
            for number, threshold in enumerate(thresholds):
                self.threshold = threshold
                boxes = self(score_map, features).boxes
                if len(boxes):
                    found[number] = boxes[0]
        finally:
            self.threshold = kept
        return found


class Refiner(Checked, ABC):
    """Finds the masks of boxes in the photograph, where the score map is too coarse, and boxes that fit them better.

    Args:
        side: the longest side, in pixels, of the image it is handed: larger photographs are reduced to it, and masks
            brought back to their size.
    """

    def __init__(self, side: Annotated[int, "at least 16"] = 320) -> None:
        self.side = side

    @abstractmethod
    def __call__(self, image: np.ndarray, score_map: np.ndarray, boxes: ScoredBoxes, threshold: float) -> Refined:
        """Return a mask for each box, and the boxes, in the same order.

        Args:
            image: (h, w, 3) uint8, RGB.
            score_map: (h, w) in [0, 1], of the class that the boxes are of.
            boxes: the boxes that were found in the map, in pixels of the image.
            threshold: where the map was cut for them, as a fraction of its maximum.
        """


class Stage(Checked, ABC):
    """One step of a pipeline: reads files, writes files into its own folder, and can be killed at any moment.

    The arguments of a stage in a configuration may name the folder of an earlier stage as ``{name}``
    (``"{maps}/last.pth"``); they arrive as paths. A stage is done when ``run`` has returned. One that was killed is
    run again with ``resume=True`` in the same folder, so it writes whole files only and skips what is there.
    """

    @abstractmethod
    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Do the work.

        Args:
            folder: the stage's own folder; it exists.
            resume: whether an earlier run of this stage, with the same settings, was cut off in this folder.

        Returns:
            Named numbers to show, such as how many boxes were found; may be empty.
        """

    def inputs(self) -> list[Path]:
        """Return the files this stage reads from outside the pipeline; it is done anew when one of them changes.

        Asked before anything runs, of a stage whose texts still hold ``{name}``; what lies in the folder of an earlier
        stage is known there and need not be told.
        """
        return []

    def declares(self) -> Mapping[str, Any]:
        """Return what decides the result beside the arguments, such as a resolved configuration, as plain data.

        Asked as ``inputs`` is. A mistake in the settings is best found here, before anything runs.
        """
        return {}

    def lacks(self, file: str, data: bool = False) -> str | None:
        """Say why ``run`` will not leave a file of this name, such as ``best.pth``; None where it may.

        Asked where a later stage names the file, before anything runs, of a stage whose texts still hold ``{name}``;
        and again right before ``run``, with ``data``: the answer may then depend on what its data holds.
        """
        return None
