"""Charts of a table: quality against time, and curves over thresholds with their bands over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from wsolkit.evaluation.results import Curve
from wsolkit.report.benchmark.curves import Band
from wsolkit.report.benchmark.layout import row_label
from wsolkit.report.benchmark.rows import Row
from wsolkit.report.benchmark.sentences import frontier, minutes_words
from wsolkit.report.benchmark.table import Part
from wsolkit.report.charts import COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame, path_of, range_of, text, ticks

__all__ = ["band_chart", "time_chart"]

LETTER, LINE = 6.4, 13
"""About how wide and high a letter is, for labels that keep off each other."""


class Box(NamedTuple):
    """A place of a chart that is taken."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether two places overlap."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


def time_chart(part: Part) -> Markup | None:
    """Return the SVG of quality against minutes of training and scoring, on a log axis; None where no time is known.

    The line joins the methods that no other one beats in less time; rings are methods trained with boxes; dashed lines
    are trivial baselines.
    """
    rows = [row for row in part.rows if row.minutes and part.score(row) is not None]
    if not rows:
        return None
    times = [math.log10(row.minutes or 1.0) for row in rows]
    low, high = min(times) - 0.12, max(times) + 0.25
    drawn = [row for row in part.rows if row.trivial and part.score(row) is not None]
    scores = [part.score(row) or 0.0 for row in [*rows, *drawn]]
    steps = ticks(min(scores), max(scores)) if max(scores) > min(scores) else []
    step = steps[1] - steps[0] if len(steps) > 1 else 10.0
    bottom = max(0.0, math.floor(min(scores) / step - 0.2) * step)
    frame = Frame(
        (low, high), (bottom, min(100.0, math.ceil(max(scores) / step + 0.2) * step)), minute_ticks(low, high)
    )
    best = frontier(part)
    points = {row.name: (frame.x(math.log10(row.minutes or 1.0)), frame.y(part.score(row) or 0.0)) for row in rows}
    taken = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in points.values()]
    parts = [baseline_line(frame, part, row, taken) for row in drawn]
    if len(best) > 1:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in (points[row.name] for row in best))
        parts.append(f'<path class="curve c0" d="M{path}"/>')
    for row in sorted(rows, key=lambda row: row not in best):
        parts += point(row, part, points[row.name], row in best, taken)
    return frame.drawn("training and scoring, a seed (log scale)", f"{part.first} (%)", parts)


def minute_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return where a log axis of minutes has marks, and what they say.

    >>> minute_ticks(-0.2, 1.2)
    [(0.0, '1 min'), (0.3010299956639812, '2 min'), (0.6989700043360189, '5 min'), (1.0, '10 min')]
    """
    marks = [factor * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for factor in (1, 2, 5)]
    return [
        (math.log10(each), minutes_words(each).replace(".0 ", " ")) for each in marks if low <= math.log10(each) <= high
    ]


def baseline_line(frame: Frame, part: Part, row: Row, taken: list[Box]) -> str:
    """Return the line of a trivial baseline, its name above or below its end; what that takes is added to ``taken``."""
    score = part.score(row) or 0.0
    y, name = frame.y(score), f"{row.name} {score:.1f}"
    right = WIDTH - RIGHT
    above, below = (Box(right - LETTER * len(name), top, right, top + LINE) for top in (y - LINE - 2, y + 2))
    place = below if any(above.meets(other) for other in taken) else above
    taken.append(place)
    return (
        f'<line class="trivial" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/><text class="tick" '
        f'x="{right}" y="{place.bottom - 3:.1f}" text-anchor="end">{text(name)}</text>'
    )


def point(row: Row, part: Part, place: tuple[float, float], best: bool, taken: list[Box]) -> list[str]:
    """Return the dot of a method, with its name beside it where there is room; what it takes is added to ``taken``."""
    x, y = place
    name = row_label(row)
    said = f"{name}: {part.score(row) or 0.0:.1f} in {minutes_words(row.minutes or 0.0)}"
    colour = "c0" if best else "c7"
    kind = "oracle" if row.boxes else "used"
    title = f"<title>{text(said)}</title>"
    found = [f'<circle class="dot {kind} {colour}" cx="{x:.1f}" cy="{y:.1f}" r="4.5">{title}</circle>']
    width = LETTER * len(name)
    for left, top in ((x + 8, y - LINE / 2), (x - 8 - width, y - LINE / 2), (x - width / 2, y - LINE - 7),
                      (x - width / 2, y + 7)):  # fmt: skip
        box = Box(left, top, left + width, top + LINE)
        inside = box.left > LEFT and box.right < WIDTH - 2 and box.top > TOP - 8 and box.bottom < HEIGHT - 46
        if inside and not any(box.meets(other) for other in taken):
            taken.append(box)
            words = "label" if best else "tick"
            found.append(f'<text class="{words}" x="{left:.1f}" y="{top + LINE - 3:.1f}">{text(name)}</text>')
            break
    return found


def band_chart(bands: Mapping[str, Band], shown: Sequence[str]) -> Markup:
    """Return the SVG of curves over thresholds, each with its band over seeds.

    Args:
        bands: by method; every curve can be switched by its place.
        shown: the methods that are seen at first.
    """
    first = next(iter(bands.values()))
    values = [each for band in bands.values() for each in (band.low, band.high)]
    frame = Frame(range_of([band.x for band in bands.values()], 1.0), range_of(values, 100))
    parts = []
    for place, (name, band) in enumerate(bands.items()):
        colour = f"c{place % COLOURS}" + (" again" if place >= COLOURS else "")
        hidden = "" if name in shown else " hidden"
        mean = path_of(curve_of(band, band.mean), frame)
        there = path_of(curve_of(band, band.high), frame)
        back = path_of(Curve(band.x[::-1], band.low[::-1], "", ""), frame).replace("M", "L", 1)
        outline = f'<path class="band {colour}" d="{there}{back}Z"/>' if not np.array_equal(band.low, band.high) else ""
        parts.append(
            f'<g class="method m{place}{hidden}">{outline}<path class="curve {colour}" d="{mean}">'
            f"<title>{text(name)}</title></path></g>"
        )
    return frame.drawn(first.x_label, first.y_label, parts)


def curve_of(band: Band, y: np.ndarray) -> Curve:
    """Return one of a band's curves."""
    return Curve(band.x, y, band.x_label, band.y_label)
