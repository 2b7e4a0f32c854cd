"""One evaluation: what was scored, its numbers with those of the trivial baselines, and what became of every trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from wsolkit.evaluation.failures import Trial
from wsolkit.evaluation.results import LABEL_FREE, ORACLE, Line, Result

__all__ = ["Evaluation", "Number", "numbers_of"]


@dataclass
class Evaluation:
    """What ``wsolkit test`` and ``wsolkit evaluate`` find, write and read again.

    Attributes:
        name: what tables call it.
        split: the split that was scored.
        images: how many images.
        results: the numbers, one result for each protocol.
        baselines: those of each trivial baseline, by its name.
        trials: what became of every (image, class) pair.
        baseline_hits: which of the trials each trivial baseline hits, at its own threshold, by its name.
        trials_at: the protocol, threshold, selection and IoU of the trials.
        classes: names of the classes, by index.
        version: the version of wsolkit that made it.
        command: the command line that made it.
        config: the configuration of the model, where there is one.
        checkpoint: its checkpoint.
        maps: where its score maps are, if they are files.
        image_root: where the images are, if known.
        extractor: the box extractor whose boxes were judged.
        remarks: sentences to show beside the numbers.
        details: what a stage knows besides, as plain data.
        settings: what was asked for, as plain data: results of the same may be replaced.
        training: how the model was trained, as its checkpoint says: ``seed``, ``number_format``, and ``boxes``, which
            is ``none`` for labels alone.
        number_format: what the model computed in when it was scored, such as ``fp32``.
        scoring_hash: a hash of how a model was scored: its whole test configuration without the seed.
        path: where it was read from.
    """

    name: str = ""
    split: str = ""
    images: int = 0
    results: list[Result] = field(default_factory=list)
    baselines: dict[str, list[Result]] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    baseline_hits: dict[str, tuple[bool, ...]] = field(default_factory=dict)
    trials_at: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    version: str = ""
    command: str = ""
    config: str | None = None
    checkpoint: str | None = None
    maps: str | None = None
    image_root: str | None = None
    extractor: str | None = None
    remarks: list[str] = field(default_factory=list)
    details: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    number_format: str | None = None
    scoring_hash: str | None = None
    path: Path = field(default_factory=Path)

    def class_name(self, label: int) -> str:
        """Return a class's name; its number where there is none."""
        if label < 0:
            return "no class"
        return self.classes[label] if label < len(self.classes) else f"class {label}"

    @property
    def trials_words(self) -> str:
        """What the trials were judged by, in words."""
        known = self.trials_at
        words = [str(known["metric"])] if known.get("metric") else []
        if known.get("threshold") is not None:
            words.append(f"threshold {known['threshold']:.3f} ({known.get('selection') or 'not said how chosen'})")
        elif known.get("selection"):
            words.append(f"threshold {known['selection']}")
        if known.get("iou") is not None:
            words.append(f"a hit is IoU >= {known['iou']:g}")
        return ", ".join(words)

    def honest_numbers(self) -> dict[str, float]:
        """Return the numbers in percent whose threshold did not see the scored split, by name, each once.

        A number that two protocols have is called after its protocol the second time.
        """
        found: dict[str, float] = {}
        for result in self.results:
            for number in numbers_of(result):
                if number.honest is not None:
                    name = number.name if number.name not in found else f"{result.metric}: {number.name}"
                    found[name] = number.honest.score.percent
        return found


class Number(NamedTuple):
    """A number of a result: at the honest threshold, the oracle's and the label-free one; or without any threshold."""

    name: str
    honest: Line | None
    oracle: Line | None
    label_free: Line | None = None

    @property
    def gap(self) -> float | None:
        """How many points choosing the threshold on the scored split itself would have added."""
        if self.honest is None or self.oracle is None:
            return None
        return self.oracle.score.percent - self.honest.score.percent


def numbers_of(result: Result) -> list[Number]:
    """Return the numbers of a result in its order, each with the oracle's and the label-free one beside the honest.

    >>> from wsolkit.evaluation.scores import Score
    >>> score = Score(50.0, 4, 15.0, 85.0)
    >>> lines = (Line("A", score, 0.2, "fixed"), Line("A", score, 0.3, ORACLE), Line("B", score))
    >>> [(each.name, each.oracle is None, each.gap) for each in numbers_of(Result("m", lines))]
    [('A', False, 0.0), ('B', True, None)]
    """
    numbers: dict[str, list[Line | None]] = {}
    for line in result.lines:
        places = numbers.setdefault(line.name, [None, None, None])
        kind = {ORACLE: 1, LABEL_FREE: 2}.get(line.selection or "", 0)
        if places[kind] is None:
            places[kind] = line
    return [Number(name, *places) for name, places in numbers.items()]
