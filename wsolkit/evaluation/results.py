"""What an accumulator computes: numbers that know how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from wsolkit.errors import ConfigError, nearest
from wsolkit.evaluation.scores import Score

__all__ = ["FIXED", "LABEL_FREE", "ORACLE", "OWN", "VAL", "Curve", "Line", "Result"]

FIXED = "fixed"
VAL = "chosen on val"
ORACLE = "test-oracle"
OWN = "chosen for each map"
LABEL_FREE = "label-free"


class Curve(NamedTuple):
    """A curve to draw: ``y`` in percent over ``x``, and what the two axes are."""

    x: np.ndarray
    y: np.ndarray
    x_label: str
    y_label: str


@dataclass(frozen=True)
class Line:
    """One number of a result.

    Attributes:
        name: what it is, such as ``MaxBoxAcc@50``.
        score: the number.
        threshold: the threshold it was taken at; None for a number without one, or of several thresholds.
        selection: how that threshold was chosen: ``FIXED``, ``VAL``, ``OWN`` (by the box extractor, for each map),
            ``LABEL_FREE`` (from maps alone, see ``LabelFreeThreshold``) or ``ORACLE`` (on the scored split itself, for
            comparison only); None for a number without one.
        spread: of a mean over several seeds, the lowest and the highest of them.
    """

    name: str
    score: Score
    threshold: float | None = None
    selection: str | None = None
    spread: tuple[float, float] | None = None


@dataclass(frozen=True)
class Result:
    """The numbers of one metric on one split.

    Attributes:
        metric: name of the metric.
        lines: its numbers; where there are several of the same name, the honest one is first, then the label-free one,
            then the oracle's.
        conventions: how they were made: comparator, class source, box source, resolution and so on, in words.
        curves: what can be drawn, by title.
        each_class: the number of each class (of the first line), in percent, by class index.
        more_each_class: the same of further lines, by their names.
        each_n: how many images show each class, by class index, of metrics that count them.
    """

    metric: str
    lines: tuple[Line, ...]
    conventions: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    each_class: Mapping[int, float] = field(default_factory=dict)
    more_each_class: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    each_n: Mapping[int, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Score:
        """Return the first number of that name.

        Raises:
            ConfigError: there is none.
        """
        for line in self.lines:
            if line.name == name:
                return line.score
        raise ConfigError(f"{self.metric} has no number {name!r}. {nearest(name, [line.name for line in self.lines])}")

    def __str__(self) -> str:
        rows = [f"{self.metric} ({'; '.join(f'{name}: {value}' for name, value in self.conventions.items())})"]
        for line in self.lines:
            macro = "" if line.score.macro is None else f", macro {line.score.macro:.2f}"
            cut = "" if line.selection is None else f", thresholds {line.selection}"
            if line.threshold is not None:
                cut = f", threshold {line.threshold:.3f} {line.selection}"
            rows.append(
                f"  {line.name}: {line.score.percent:.2f}{macro}, 95 % interval {line.score.low:.2f} to "
                f"{line.score.high:.2f} ({line.score.interval}), n {line.score.n}{cut}"
            )
        return "\n".join(rows)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain data for a JSON file; NaN becomes None."""
        return {
            "metric": self.metric,
            "conventions": dict(self.conventions),
            "lines": [
                {
                    "name": line.name,
                    "percent": plain(line.score.percent),
                    "macro": plain(line.score.macro),
                    "low": plain(line.score.low),
                    "high": plain(line.score.high),
                    "interval": line.score.interval,
                    "n": line.score.n,
                    "threshold": plain(line.threshold),
                    "selection": line.selection,
                }
                for line in self.lines
            ],
            "curves": {
                title: {
                    "x": [plain(value) for value in curve.x],
                    "y": [plain(value) for value in curve.y],
                    "x_label": curve.x_label,
                    "y_label": curve.y_label,
                }
                for title, curve in self.curves.items()
            },
            "each_class": plain_classes(self.each_class),
            "more_each_class": {name: plain_classes(each) for name, each in self.more_each_class.items()},
            "each_n": {str(index): int(n) for index, n in self.each_n.items()},
        }


def plain_classes(each: Mapping[int, float]) -> dict[str, float | None]:
    """Return the numbers of classes for JSON, whose keys are text.

    >>> plain_classes({3: 50.0, 4: float("nan")})
    {'3': 50.0, '4': None}
    """
    return {str(index): plain(value) for index, value in each.items()}


def plain(value: float | None) -> float | None:
    """Return a number for JSON: None for a missing or undefined one.

    >>> plain(float("nan")), plain(np.float32(0.5))
    (None, 0.5)
    """
    return None if value is None or not np.isfinite(value) else float(value)
