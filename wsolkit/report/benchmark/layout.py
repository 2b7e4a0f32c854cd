"""The table as text: what stands in which column of a row, for terminals, Markdown, LaTeX and the page alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from wsolkit.evaluation.over_seeds import OverSeeds
from wsolkit.report.benchmark.rows import Row, own_words
from wsolkit.report.benchmark.sentences import minutes_words
from wsolkit.report.benchmark.table import Part
from wsolkit.report.comparison_page import p_words
from wsolkit.report.page import percent

__all__ = ["LEGEND", "Cell", "Heading", "head_words", "headings_of", "legend_of", "row_label", "row_texts"]

OWN = "*"
"""What stands behind the name of a method with a budget of its own, or with options that a search chose."""

WITH_BOXES = "+boxes"
"""What stands behind the name of a method that was trained with people's boxes."""


@dataclass(frozen=True)
class Cell:
    """A cell: what is shown first, what stands below or behind it, whether it is the best of its column, its value."""

    text: str
    more: str = ""
    best: bool = False
    value: float | str | None = None


@dataclass(frozen=True)
class Heading:
    """A column of the table as text: its key, its title, and what makes its cell of a row."""

    key: str
    title: str
    cell: Callable[[Row], Cell]


LEGEND = (
    "Percent: mean over seeds (lowest to highest) [95 % interval over images and seeds; over images alone for one "
    "seed]. The best from labels alone is bold."
)


def legend_of(part: Part) -> str:
    """Return what has to be said below a table."""
    words = [LEGEND]
    if any(row.boxes for row in part.rows):
        words.append(f"{WITH_BOXES}: trained with people's boxes, no weakly supervised method.")
    if any("baseline" in row.against for row in part.rows):
        name = next(row.against["baseline"].name for row in part.rows if "baseline" in row.against)
        found = [row.against["baseline"].found for row in part.rows if "baseline" in row.against]
        paired = {each.paired for each in found if each is not None}
        if True in paired:
            words.append(
                f"against {name}: points of {part.first} on the images and the seeds both have, with its interval; "
                "p by the exact sign-flip test over images (McNemar's for one seed), corrected for all rows (Holm)."
            )
        if False in paired:
            head = "~:" if True in paired else f"~ against {name}: points of {part.first},"
            words.append(
                f"{head} not compared image by image, but by the two intervals; p by Student's t, corrected (Holm)."
            )
        words += ["A method beats another where p is below .05 and the whole interval above 0."] if paired else []
    if any(row.gap is not None for row in part.rows):
        words.append("gap: points that choosing the threshold on the test boxes themselves would have added.")
    if any(row.minutes is not None for row in part.rows):
        places = dict.fromkeys(place for row in part.rows for job in row.jobs for place in job.measured_on)
        words.append(
            "training, scoring: wall-clock time, longer where the machine had other work to do"
            + (f"; measured on {'; '.join(places)}." if places else ".")
        )
    if any(row.mean("feature_minutes") for row in part.rows):
        words.append(
            "features: time in which a row computed features that all rows share, or waited for them; it fell to who "
            "came first, and is in neither training nor scoring."
        )
    own = [f"{row.name}: {said}" for row in part.rows if (said := own_words(row.facts))]
    if own:
        words.append(f"{OWN} {'. '.join(own)}.")
    return " ".join(words)


def headings_of(part: Part) -> list[Heading]:
    """Return the columns of a table, those left out that have nothing in any row."""
    backbone = Heading("backbone", "backbone", lambda row: Cell(row.facts.backbone, value=row.facts.backbone))
    every = [
        *([backbone] if backbones_of(part) is None else []),
        Heading("seeds", "seeds", lambda row: Cell(str(row.seeds) if row.seeds else "", value=row.seeds or None)),
        *(
            Heading(column.title, column.title, lambda row, title=column.title: number_cell(part, row, title))  # type: ignore[misc]
            for column in part.columns
        ),
        Heading("difference", f"against {against_name(part)}", difference_cell),
        Heading("p", "p (Holm)", p_cell),
        Heading("gap", "gap", lambda row: Cell("" if row.gap is None else f"{row.gap:+.1f}", value=row.gap)),
        Heading("train", "training", lambda row: minutes_cell(row.mean("train_minutes"))),
        Heading("test", "scoring", lambda row: minutes_cell(row.mean("test_minutes"))),
        Heading("features", "features", lambda row: minutes_cell(row.mean("feature_minutes") or None)),
        Heading("parameters", "parameters", lambda row: count_cell(row.mean("parameters"))),
        Heading("trained", "trained", lambda row: count_cell(row.mean("trained_parameters"))),
    ]
    return [heading for heading in every if any(heading.cell(row).text for row in part.rows)]


def backbones_of(part: Part) -> str | None:
    """Return the backbone that all methods of a table have; None where they differ. Pipelines say none of theirs."""
    found = {row.facts.backbone for row in part.rows if not row.trivial and row.facts.backbone}
    return found.pop() if len(found) == 1 else None


def head_words(part: Part) -> str:
    """Return what is said above a table: data, split, images, and the backbone where all have one."""
    backbone = backbones_of(part)
    return f"{part.data}: {part.split} split, {part.images} images" + (f", {backbone}" if backbone else "")


def against_name(part: Part) -> str:
    """Return what the baseline's row is called."""
    return next((row.against["baseline"].name for row in part.rows if "baseline" in row.against), "the baseline")


def row_label(row: Row) -> str:
    """Return what a row is called, marked where boxes were used, and where its budget or options are its own."""
    name = f"{row.name}{OWN}" if own_words(row.facts) else row.name
    return f"{name} {WITH_BOXES}" if row.boxes else name


def row_texts(part: Part, row: Row) -> list[Cell]:
    """Return the cells of a row, in the order of ``headings_of``."""
    return [heading.cell(row) for heading in headings_of(part)]


def number_cell(part: Part, row: Row, title: str) -> Cell:
    """Return a number with its spread and interval."""
    cell = row.cells.get(title)
    if cell is None:
        return Cell("")
    return Cell(percent(cell.mean), spread_words(cell), row.name in part.best(title), cell.mean)


def spread_words(cell: OverSeeds) -> str:
    """Return the spread over seeds and the interval of a number as text."""
    spread = f"({cell.lowest:.1f}-{cell.highest:.1f})" if len(cell.by_seed) > 1 else ""
    interval = f"[{cell.low:.1f}, {cell.high:.1f}]" if isfinite(cell.low) and isfinite(cell.high) else ""
    return f"{spread} {interval}".strip()


def difference_cell(row: Row) -> Cell:
    """Return a row's difference from the baseline."""
    against = row.against.get("baseline")
    if against is None or against.found is None:
        return Cell("")
    found = against.found
    mark = "" if found.paired else "~"
    return Cell(f"{mark}{found.difference:+.1f}", f"[{found.low:+.1f}, {found.high:+.1f}]", value=found.difference)


def p_cell(row: Row) -> Cell:
    """Return the corrected p value of that difference."""
    against = row.against.get("baseline")
    return Cell("" if against is None or against.p_holm is None else p_words(against.p_holm),
                value=None if against is None else against.p_holm)  # fmt: skip


def minutes_cell(minutes: float | None) -> Cell:
    """Return a time."""
    return Cell("" if minutes is None else minutes_words(minutes), value=minutes)


def count_cell(count: float | None) -> Cell:
    """Return a number of parameters.

    >>> [count_cell(count).text for count in (512, 51_250, 4_700_000.0, None)]
    ['512', '51 k', '4.7 M', '']
    """
    if count is None:
        return Cell("")
    text = f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k" if count >= 1e4 else f"{count:.0f}"
    return Cell(text, value=count)
