"""A threshold for the maps of a split that needs neither boxes nor labels.

The idea is ours: at a good cut a map's box agrees with itself at neighbouring cuts, and does so because of what is in
the image, not because all boxes are alike. A cut near 0 gives every image the whole frame, which agrees with
everything; one near 1 gives single peaks, which agree with nothing. With a the mean overlap (IoU) of a map's box with
its own at cuts .04 higher and lower, and c that with the boxes of other maps, the gain of a cut is
(a - c) / sqrt(1 - c): the geometric mean of the agreement in excess of chance and of Cohen's kappa, of which the one
alone cuts too high and the other too low. The threshold is the mean of all cuts with at least .94 of the largest gain;
the best cut itself hangs on few images. Where boxes of different maps hardly meet, as with defects of a few pixels,
chance tells nothing, and the threshold moves to ``SMALL``.

Chosen on the validation birds of CUB-200-2011's first 50 classes, single objects of PASCAL VOC 2012's training and
validation images, and 47 defects of magnetic tiles. Measured with C2AM's maps on EfficientNet-Lite0's features: hits at
IoU .5 on 702 test birds 87.0 beside 88.7 at the cut that val chose, on 112 single objects of VOC's test split 85.7
beside 84.8. Few maps tell less: in 40 draws of 60 maps from VOC's 240 the cut gave, on all 240, 2.1 points less than
the best one on average and 7.9 at worst; in 40 draws of 100 maps 0.9 and 7.9.

Conventions: a map's box is that of its largest 8-connected component, strictly above a fraction of its maximum, in
fractions of the map; thresholds are tried in steps of .02.
"""

from __future__ import annotations

import numpy as np

from wsolkit.evaluation.accumulator import Accumulator
from wsolkit.evaluation.map_boxes import largest_boxes
from wsolkit.evaluation.overlap import paired_iou
from wsolkit.evaluation.results import Result

__all__ = ["LabelFreeThreshold", "self_agreement"]

CUTS = np.arange(1, 50) / 50
"""The thresholds that are tried."""

NEXT = 2
"""How many steps away the cuts are that a box is compared with itself at."""

SHIFTS = 7
"""How many other maps each map is compared with, to know what chance gives."""

LEAST, MOST = 0.2, 0.9
"""Between which thresholds one is chosen."""

PLATEAU = 0.94
"""Which share of the largest gain a cut needs to count."""

FEWEST, PRIOR = 8, 0.66
"""From how many maps on they are asked, and where fewer are cut."""

SMALL, CHANCE = 0.46, 0.1
"""Where maps are cut whose boxes never meet, and how much overlap by chance makes their word count in full."""


def self_agreement(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how much boxes overlap with themselves at neighbouring cuts, and with those of other maps by chance.

    Args:
        boxes: (N, T, 4) the box of each map at each cut; empty ones overlap nothing.

    Returns:
        Mean overlaps (T - 2 ``NEXT``,) with themselves and with others, for all cuts but the outermost.

    >>> boxes = np.tile([[[0, 0, 1, 1]], [[2, 2, 3, 3]]], (1, 5, 1))
    >>> self_agreement(boxes)
    (array([1.]), array([0.]))
    """
    count = len(boxes)
    shifts = sorted({round(count * part / (SHIFTS + 1)) for part in range(1, SHIFTS + 1)} - {0, count})
    own = boxes[:, NEXT:-NEXT]

    def with_neighbours(others: np.ndarray) -> np.ndarray:
        both = paired_iou(own, others[:, : -2 * NEXT]) + paired_iou(own, others[:, 2 * NEXT :])
        return np.asarray(both.mean(0) / 2)

    return with_neighbours(boxes), np.mean([with_neighbours(np.roll(boxes, each, 0)) for each in shifts], axis=0)


class LabelFreeThreshold(Accumulator[np.ndarray]):
    """Chooses where to cut the maps of a split without looking at a box.

    An image takes 800 bytes a map. Fewer than 8 maps say too little; they are cut at .66.

    >>> metric = LabelFreeThreshold()
    >>> metric.update("a", np.eye(8))
    >>> metric.best_threshold()
    0.66
    """

    metric = "label-free threshold"

    def measure(self, *score_maps: np.ndarray) -> np.ndarray:
        """Return what is kept of the maps of an image, each (H, W) in [0, 1]: their boxes at every cut, (M, T, 4).

        Raises:
            MapError: a map holds NaN or scores outside [0, 1].
            ShapeError: a map is not (H, W).
        """
        found = [largest_boxes(each, CUTS) / np.array([*np.shape(each)[::-1]] * 2) for each in score_maps]
        return np.reshape(found, (len(found), len(CUTS), 4)).astype(np.float32)

    def best_threshold(self) -> float:
        """Return the threshold, a fraction of a map's maximum in [0, 1).

        Raises:
            DataError: there is no map.
        """
        boxes = np.concatenate([rows for _, rows in self.ordered()]).astype(np.float64)
        if len(boxes) < FEWEST:
            return PRIOR
        own, chance = self_agreement(boxes)
        cuts = CUTS[NEXT:-NEXT]
        asked = (cuts >= LEAST) & (cuts <= MOST)
        gain = np.where(asked, (own - chance) / np.sqrt(np.maximum(1 - chance, 1e-6)), -np.inf)
        high = gain >= gain.max() - (1 - PLATEAU) * abs(gain.max())
        trust = min(1.0, float(chance[high].mean()) / CHANCE)
        return round(SMALL + trust * (float(cuts[high].mean()) - SMALL), 2)

    def compute(self) -> Result:
        """Return a result without numbers, for there is nothing to compare with."""
        return Result(self.metric, (), {"threshold": f"{self.best_threshold():.2f}"})
