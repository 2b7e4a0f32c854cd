"""Which map labels are made of: three methods, the choice among them, and a score on photographs a person has checked.

- ``objects``: one map of whatever the photographs show, for whole objects; it needs no labels.
- ``parts``: a map of each class from a middle level, for what only the label tells, such as defects on a surface.
- ``classes``: maps of the classes inside the map of the objects, for photographs with several labels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from wsolkit.errors import DataError, first_few
from wsolkit.evaluation.overlap import box_iou
from wsolkit.evaluation.scores import bootstrap_interval
from wsolkit.formats.found_boxes import FoundBox

__all__ = ["METHODS", "Choice", "Method", "MethodScore", "box_overlaps", "choose_method", "config_of", "score_methods"]

Method = Literal["objects", "parts", "classes"]
METHODS: tuple[Method, ...] = ("objects", "parts", "classes")

HIT = 0.5
"""The least IoU of a hit."""


class Choice(NamedTuple):
    """A method and, in a sentence, why it was chosen."""

    method: Method
    reason: str


def config_of(method: Method) -> str:
    """Return the name of a method's configuration.

    >>> config_of("parts")
    'label_parts'
    """
    return f"label_{method}"


def choose_method(background: Collection[str] = (), several_labels: bool = False) -> Choice:
    """Choose a method by what is known before anything is learnt: ``--method auto``.

    Args:
        background: classes of photographs that show nothing.
        several_labels: whether photographs may have several labels.

    >>> choose_method(background=["free"])
    Choice(method='parts', reason="photographs of 'free' show nothing, so the others differ from them in parts")
    >>> choose_method().method, choose_method(several_labels=True).method
    ('objects', 'classes')
    """
    if several_labels:
        return Choice("classes", "photographs have several labels, and each wants its own boxes")
    if background:
        named = first_few(list(background))
        return Choice("parts", f"photographs of {named} show nothing, so the others differ from them in parts")
    return Choice("objects", "each photograph has one label, so that one map of its object serves")


@dataclass(frozen=True)
class MethodScore:
    """How well the boxes of a method fit those that a person has checked.

    Attributes:
        method: the method.
        images: how many photographs were checked.
        mean_iou: mean over the photographs of ``box_overlaps``, in percent.
        low: lower end of its 95 % interval, by a bootstrap over the photographs.
        high: upper end.
        hits: the share of the checked boxes that a box fits with an IoU of .5 or more, in percent; 100 where there are
            none.
    """

    method: str
    images: int
    mean_iou: float
    low: float
    high: float
    hits: float

    @property
    def line(self) -> str:
        """The score in words."""
        return (
            f"{self.method}: IoU {self.mean_iou:.1f} [{self.low:.1f}, {self.high:.1f}], {self.hits:.1f} % of the boxes "
            f"hit, on {self.images} checked photograph{'s' if self.images != 1 else ''}"
        )


def box_overlaps(found: Sequence[FoundBox], truth: Sequence[FoundBox]) -> np.ndarray:
    """Return the IoU of each true box with the found box that fits it: one to one, best pairs first, 0 for the rest.

    A found box fits true boxes of its class; one of a class that no true box has fits any, as boxes that are called
    ``object`` do. What is left over on either side counts 0, so that boxes too many cost as much as boxes too few.

    Returns:
        (N,), N the larger of the two numbers of boxes; a single 1 where both are 0. The true boxes come first.

    >>> robin = FoundBox((0, 0, 2, 2), 0, "robin", 1, 1)
    >>> box_overlaps([robin, robin], [robin]).tolist(), box_overlaps([], []).tolist()
    ([1.0, 0.0], [1.0])
    """
    if not found and not truth:
        return np.ones(1)
    overlaps = np.zeros(max(len(found), len(truth)))
    classes = {each.class_name for each in truth}
    iou = box_iou(np.array([each.box for each in truth]), np.array([each.box for each in found]))  # (true, found)
    for row, true in enumerate(truth):
        for column, each in enumerate(found):
            if each.class_name in classes and each.class_name != true.class_name:
                iou[row, column] = 0
    while iou.size and iou.max() > 0:
        row, column = divmod(int(iou.argmax()), iou.shape[1])
        overlaps[row] = iou[row, column]
        iou[row], iou[:, column] = 0, 0
    return overlaps


def score_methods(
    found: Mapping[str, Mapping[str, Sequence[FoundBox]]], verified: Mapping[str, Sequence[FoundBox]]
) -> list[MethodScore]:
    """Return how well the boxes of each method fit those that a person has checked, the best method first.

    Args:
        found: the boxes of each method, by the name of the photograph; one that is missing has no box.
        verified: the right boxes by the name of the photograph; none where it shows nothing.

    Raises:
        DataError: no photograph was checked.
    """
    if not verified:
        raise DataError("No photograph was checked, so nothing tells the methods apart. Look at the sheet, and choose.")
    scores = []
    for method, boxes in found.items():
        pairs = [(box_overlaps(boxes.get(name, ()), truth), len(truth)) for name, truth in verified.items()]
        means = 100 * np.array([overlaps.mean() for overlaps, _ in pairs])
        low, high = bootstrap_interval(partial(drawn_means, means), len(means))
        hits = np.concatenate([overlaps[:count] >= HIT for overlaps, count in pairs])
        share = float(100 * hits.mean()) if len(hits) else 100.0
        scores.append(MethodScore(method, len(pairs), float(means.mean()), low, high, share))
    return sorted(scores, key=lambda score: -score.mean_iou)


def drawn_means(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the mean of values (n,) in each of d draws, given how often each was drawn, (d, n)."""
    found: np.ndarray = counts @ values / counts.sum(1)
    return found
