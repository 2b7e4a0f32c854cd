"""Charts as SVG text for a page: curves with a mark at each threshold, and histograms.

Nothing is drawn in a fixed colour: the page's style gives ``.c0``, ``.c1`` and so on theirs, light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from wsolkit.errors import printable
from wsolkit.evaluation.results import LABEL_FREE, ORACLE, Curve, Line

__all__ = [
    "COLOURS",
    "HEIGHT",
    "LEFT",
    "RIGHT",
    "TOP",
    "WIDTH",
    "Chart",
    "Frame",
    "Mark",
    "Series",
    "charts_of",
    "histogram",
    "line_chart",
    "path_of",
    "range_of",
    "series_of",
    "text",
    "ticks",
]

WIDTH, HEIGHT = 620, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 14, 46
COLOURS = 8
NEAR = 0.05
"""Points by which a curve at a threshold may differ from the number that was taken there."""


@dataclass(frozen=True)
class Mark:
    """A point of a curve: where a number was taken."""

    x: float
    y: float
    text: str
    oracle: bool


@dataclass(frozen=True)
class Series:
    """A curve with its name and marks."""

    name: str
    curve: Curve
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A picture with its title, and the names of its curves where there are several."""

    title: str
    svg: Markup
    legend: tuple[str, ...] = ()
    oracle: bool = False
    honest: bool = False


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return about ``wanted`` round numbers from ``low`` to ``high``.

    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(3, 87)
    [20.0, 40.0, 60.0, 80.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) + 0.0 for number in range(first, last + 1)]


def marks_of(curve: Curve, lines: Iterable[Line]) -> tuple[Mark, ...]:
    """Return a mark for each number that was taken from a curve: at its threshold the curve has its value.

    >>> from wsolkit.evaluation.scores import Score
    >>> curve = Curve(np.array([0, 0.5]), np.array([30.0, 70.0]), "threshold", "hits (%)")
    >>> [mark.text for mark in marks_of(curve, [Line("A", Score(70, 9, 60, 80), 0.5, ORACLE)])]
    ['A 70.0 at 0.500, test-oracle']
    """
    found = []
    order = np.argsort(curve.x, kind="stable")
    for line in lines:
        if line.selection == LABEL_FREE:
            continue  # the table has it
        x, y = line.threshold, line.score.percent
        if x is None or not len(order) or not curve.x[order[0]] <= x <= curve.x[order[-1]]:
            continue
        if abs(np.interp(x, curve.x[order], curve.y[order]) - y) <= NEAR:
            found.append(Mark(x, y, f"{line.name} {y:.1f} at {x:.3f}, {line.selection}", line.selection == ORACLE))
    return tuple(found)


def series_of(name: str, curve: Curve, lines: Iterable[Line]) -> Series:
    """Return a curve with its marks; curves whose x is no threshold have none."""
    swept = any(word in curve.x_label for word in ("threshold", "background score"))
    return Series(name, curve, marks_of(curve, lines) if swept else ())


def charts_of(named: Iterable[tuple[str, Series]]) -> list[Chart]:
    """Return a chart for each pair of axes, with every curve that has them.

    Args:
        named: the title a chart has if the curve is alone in it, and the curve.
    """
    groups: dict[tuple[str, str], list[tuple[str, Series]]] = {}
    for title, series in named:
        groups.setdefault((series.curve.x_label, series.curve.y_label), []).append((title, series))
    charts = []
    for (x_label, y_label), members in groups.items():
        titles = list(dict.fromkeys(title for title, _ in members))
        curves = [series for _, series in members]
        marks = [mark for series in curves for mark in series.marks]
        charts.append(
            Chart(
                titles[0] if len(titles) == 1 else f"{y_label} over {x_label}",
                line_chart(curves, x_label, y_label),
                tuple(series.name for series in curves) if len(curves) > 1 else (),
                oracle=any(mark.oracle for mark in marks),
                honest=any(not mark.oracle for mark in marks),
            )
        )
    return charts


class Frame:
    """The axes of a chart: turns values into places and draws ticks and labels.

    Args:
        x: smallest and largest x.
        y: smallest and largest y.
        x_ticks: where the x axis has marks, and what they say; round numbers by default.
    """

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        x_ticks: Sequence[tuple[float, str]] | None = None,
    ) -> None:
        self.x_range, self.y_range = x, y
        self.x_ticks = x_ticks

    def x(self, value: float) -> float:
        """Return the place of an x."""
        low, high = self.x_range
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)

    def y(self, value: float) -> float:
        """Return the place of a y."""
        low, high = self.y_range
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    def drawn(self, x_label: str, y_label: str, parts: Iterable[str]) -> Markup:
        """Return the SVG of a chart with axes, ticks, labels and ``parts`` inside."""
        left, right, bottom = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
        rows = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(y_label)} over '
                f'{text(x_label)}">']  # fmt: skip
        for tick in ticks(*self.y_range):
            place = f"{self.y(tick):.1f}"
            rows.append(f'<line class="rule" x1="{left}" x2="{right}" y1="{place}" y2="{place}"/>')
            rows.append(f'<text class="tick" x="{left - 8}" y="{place}" dy=".35em" text-anchor="end">{tick:g}</text>')
        marks = self.x_ticks if self.x_ticks is not None else [(each, f"{each:g}") for each in ticks(*self.x_range, 10)]
        for tick, words in marks:
            place = f"{self.x(tick):.1f}"
            rows.append(f'<line class="axis" x1="{place}" x2="{place}" y1="{bottom}" y2="{bottom + 5}"/>')
            rows.append(f'<text class="tick" x="{place}" y="{bottom + 19}" text-anchor="middle">{text(words)}</text>')
        rows.append(f'<line class="axis" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
        rows += parts
        middle = f"{(TOP + bottom) / 2:.0f}"
        rows.append(
            f'<text class="label" x="{(left + right) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">'
            f'{text(x_label)}</text><text class="label" transform="rotate(-90 14 {middle})" x="14" y="{middle}" '
            f'text-anchor="middle">{text(y_label)}</text></svg>'
        )
        return Markup("\n".join(rows))


def text(name: str) -> str:
    """Return text for a page: escaped, and without bytes that are no UTF-8."""
    return str(escape(printable(name)))


def range_of(values: Sequence[np.ndarray], whole: float) -> tuple[float, float]:
    """Return what an axis shows: 0 to ``whole`` where the values fill most of it, else to a round number above them.

    >>> range_of([np.array([0.0, 0.9])], 1), range_of([np.array([3.0, 12.0])], 100)
    ((0.0, 1), (0.0, 12.5))
    """
    finite = np.concatenate([each[np.isfinite(each)] for each in values] or [np.zeros(0)])
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, whole)
    low = min(low, 0.0)
    if low == 0 and 0.6 * whole <= high <= whole:
        return low, whole
    if not high > low:
        return low, low + whole
    step = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(step))
    step = next(factor * power for factor in (1, 2, 2.5, 3, 5, 10) if factor * power >= step * 0.999)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def path_of(curve: Curve, frame: Frame) -> str:
    """Return the path of a curve; it is broken where a value is undefined."""
    commands, pen = [], "M"
    for x, y in zip(curve.x, curve.y, strict=True):
        if np.isfinite(x) and np.isfinite(y):
            commands.append(f"{pen}{frame.x(x):.1f} {frame.y(y):.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(commands)


def line_chart(series: Sequence[Series], x_label: str, y_label: str) -> Markup:
    """Return the SVG of curves that share their axes.

    A full vertical line and a filled dot mark the threshold that was used, a dashed line and a ring the oracle's.

    Args:
        series: the curves; the colours repeat after eight, dashed.
        x_label: what the x axis is.
        y_label: what the y axis is.
    """
    whole = 100.0 if "%" in x_label else 1.0
    frame = Frame(range_of([each.curve.x for each in series], whole), range_of([each.curve.y for each in series], 100))
    lines, dots = [], []
    for number, each in enumerate(series):
        colour = f"c{number % COLOURS}" + (" again" if number >= COLOURS else "")
        for mark in each.marks:
            x, y = f"{frame.x(mark.x):.1f}", f"{frame.y(mark.y):.1f}"
            kind = "oracle" if mark.oracle else "used"
            lines.append(f'<line class="cut {kind} {colour}" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
            dots.append(
                f'<circle class="dot {kind} {colour}" cx="{x}" cy="{y}" r="4.5"><title>'
                f"{text(f'{each.name}: {mark.text}')}</title></circle>"
            )
        lines.append(
            f'<path class="curve {colour}" d="{path_of(each.curve, frame)}"><title>{text(each.name)}</title></path>'
        )
    return frame.drawn(x_label, y_label, lines + dots)


def histogram(
    counts: Mapping[str, np.ndarray], bounds: np.ndarray, x_label: str, y_label: str, cut: float | None = None
) -> Markup:
    """Return the SVG of histograms over the same bins, in percent of each one's own total.

    Args:
        counts: (bins,) by name; a single one is filled, several are outlines.
        bounds: (bins + 1,) ends of the bins.
        x_label: what the x axis is.
        y_label: what the y axis is.
        cut: an x to be marked, such as the IoU of a hit.
    """
    shares = {name: 100 * each / max(int(each.sum()), 1) for name, each in counts.items()}
    highest = max((float(each.max(initial=0)) for each in shares.values()), default=0.0)
    frame = Frame((float(bounds[0]), float(bounds[-1])), range_of([np.array([0.0, highest or 1.0])], 100))
    parts = []
    for number, (name, each) in enumerate(shares.items()):
        floor = f"{frame.y(0):.1f}"
        steps = "".join(
            f"L{frame.x(low):.1f} {frame.y(share):.1f}L{frame.x(high):.1f} {frame.y(share):.1f}"
            for low, high, share in zip(bounds[:-1], bounds[1:], each, strict=True)
        )
        filled = " filled" if len(shares) == 1 else ""
        colour = f"c{number % COLOURS}" + (" again" if number >= COLOURS else "")
        parts.append(
            f'<path class="curve{filled} {colour}" d="M{frame.x(bounds[0]):.1f} {floor}{steps}'
            f'L{frame.x(bounds[-1]):.1f} {floor}"><title>{text(name)}</title></path>'
        )
    if cut is not None:
        x = f"{frame.x(cut):.1f}"
        parts.append(
            f'<line class="bound" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            f'<text class="tick" x="{x}" y="{TOP}" dx="6" dy=".7em">hit from {cut:g}</text>'
        )
    return frame.drawn(x_label, y_label, parts)
