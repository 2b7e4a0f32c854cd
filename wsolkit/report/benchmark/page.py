"""The page of a table: the table itself, what it says, quality against time, curves, pictures of failures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from wsolkit.evaluation.failures import HIT
from wsolkit.report.benchmark.charts import band_chart, time_chart
from wsolkit.report.benchmark.curves import bands_of
from wsolkit.report.benchmark.layout import Cell, Heading, head_words, headings_of, legend_of, row_label
from wsolkit.report.benchmark.rows import Row
from wsolkit.report.benchmark.sentences import of_data, sentences_of
from wsolkit.report.benchmark.table import BenchmarkTable, Part
from wsolkit.report.chosen_trials import disagreements
from wsolkit.report.comparison import shared_trials
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.page import PAGE
from wsolkit.report.pictures import Card, PictureSource, card_of

__all__ = ["page_content"]

CHOSEN = 5
"""How many of the best methods have their curves shown at first, beside the baseline."""

PICTURES = 12
"""How many pictures of each kind."""

METRICS = ("localization", "MaxBoxAcc", "MaxBoxAccV2")
"""Whose curves are drawn, beside those of the first column."""


class Curves(NamedTuple):
    """Curves of one kind: their title, their chart, and the method of each, with whether it is seen at first."""

    title: str
    svg: Markup
    methods: list[tuple[str, bool]]


def page_content(table: BenchmarkTable, folder: str | Path) -> dict[str, Any]:
    """Return what the page shows.

    Args:
        table: the table.
        folder: the folder of the page, from which it links to the reports of single runs.
    """
    sentences = sentences_of(table)
    found = [part_content(part, Path(folder)) for part in table.parts]
    for each, part in zip(found, table.parts, strict=True):
        each["sentences"] = [sentence.text for sentence in of_data(sentences, part.data)]
    title = f"Benchmark: {', '.join(part.data for part in table.parts)}"
    return {"title": title, "parts": found, "missing": table.missing}


def part_content(part: Part, folder: Path) -> dict[str, Any]:
    """Return what the page shows of one data set."""
    headings = headings_of(part)
    runs = shown_rows(part)
    cards, notes = pictures(runs)
    return {
        "head": head_words(part),
        "headings": headings,
        "rows": [table_row(row, headings, folder) for row in part.rows],
        "legend": legend_of(part),
        "warnings": part.warnings,
        "time": time_chart(part),
        "curves": curves_of(part),
        "printed": [(row.name, each) for row in part.rows for each in row.printed],
        "shown": [row_label(row) for row in runs],
        "reports": [reports_of(row, folder)[:1] for row in runs],
        "cards": cards,
        "notes": notes,
    }


def table_row(row: Row, headings: Sequence[Heading], folder: Path) -> tuple[Row, str, list[tuple[Heading, Cell]], Any]:
    """Return a row of the page: itself, its name, its cells, the reports of its seeds."""
    return row, row_label(row), [(each, each.cell(row)) for each in headings], reports_of(row, folder)


def reports_of(row: Row, folder: Path) -> list[tuple[str, str]]:
    """Return the reports of a row's seeds, as the seed and a link from the page; those without one are left out."""
    found = []
    for job in row.jobs:
        if job.folder is None:
            continue
        pages = [job.folder / PAGE, *sorted(job.folder.glob(f"*/{PAGE}"))]
        page = next((each for each in pages if each.is_file()), None)
        if page is not None and page.is_relative_to(folder):
            seed = "report" if job.seed is None else f"seed {job.seed}"
            found.append((seed, quote(page.relative_to(folder).as_posix())))
    return found


def curves_of(part: Part) -> list[Curves]:
    """Return the curves over thresholds of every method that has some, the chosen ones seen at first."""
    rows = [row for row in part.rows if row.evaluations]
    chosen = {row.name for row in [*rows[: CHOSEN + 1], *[row for row in rows if row.boxes][:1]]}
    found = []
    for metric in dict.fromkeys([*(column.metric for column in part.columns[:1]), *METRICS]):
        bands = {row.name: bands_of(row.evaluations, metric) for row in rows}
        for title in dict.fromkeys(title for each in bands.values() for title in each):
            having = {name: each[title] for name, each in bands.items() if title in each}
            names = [(name, name in chosen) for name in having]
            found.append(Curves(f"{metric}: {title}", band_chart(having, sorted(chosen)), names))
    return found


def shown_rows(part: Part) -> list[Row]:
    """Return the methods whose boxes are drawn on pictures: the baseline, the best, and the best trained with boxes."""
    rows = [row for row in part.rows if row.evaluations and row.evaluations[0].trials]
    best = [max(kind, key=lambda row: part.score(row) or 0.0) for kind in (
        [row for row in rows if not row.boxes], [row for row in rows if row.boxes]) if kind]  # fmt: skip
    return list({row.name: row for row in [*rows[:1], *best]}.values())


def pictures(rows: Sequence[Row]) -> tuple[list[tuple[str, list[Card]]], list[str]]:
    """Return pictures with the boxes of some methods' first seeds, and what could not be shown."""
    runs: list[Evaluation] = [row.evaluations[0] for row in rows]
    if not runs:
        return [], []
    shared = shared_trials(runs)
    hard = [each for each in shared if all(trial.outcome != HIT for trial in each)]
    hard.sort(key=lambda each: (max(trial.iou for trial in each), each[0].image_id))
    kinds = [
        ("All of them miss", hard[:PICTURES]),
        ("They disagree", [each for each in disagreements(shared) if each not in hard][:PICTURES]),
    ]
    source = PictureSource(runs[0].image_root)
    source.readers = [None] * len(runs)  # boxes alone: a score map of each method would hide the photograph
    cards = [
        (title, [card_of(each, runs[0].class_name(each[0].label), source) for each in chosen])
        for title, chosen in kinds
        if chosen
    ]
    return cards, source.notes() if cards else []
