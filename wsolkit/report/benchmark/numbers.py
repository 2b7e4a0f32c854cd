"""The table as data: everything in JSON, and its rows in CSV, no number rounded."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from wsolkit import __version__
from wsolkit.errors import printable
from wsolkit.evaluation.over_seeds import OverSeeds
from wsolkit.report.benchmark.curves import Band, bands_of
from wsolkit.report.benchmark.hits import Hits
from wsolkit.report.benchmark.rows import Row, budget_words
from wsolkit.report.benchmark.sentences import of_data, sentences_of
from wsolkit.report.benchmark.table import BenchmarkTable, Part
from wsolkit.report.evaluation import Evaluation, numbers_of
from wsolkit.report.job_facts import JobFacts

__all__ = ["as_csv", "as_dict"]

FACTS = ("train_minutes", "test_minutes", "feature_minutes", "parameters", "trained_parameters")


def as_dict(table: BenchmarkTable) -> dict[str, Any]:
    """Return everything a table knows as plain data; what is not defined is None.

    The hits of single trials are a letter each, in the order of the part's ``trials``: 1 a hit, 0 none, - not scored.
    """
    sentences = sentences_of(table)
    parts = []
    for part in table.parts:
        keys = sorted({key for row in part.rows if row.hits for key in row.hits.keys})
        parts.append(
            {
                "data": part.data,
                "split": part.split,
                "images": part.images,
                "columns": [column._asdict() for column in part.columns],
                "sentences": [each._asdict() for each in of_data(sentences, part.data)],
                "warnings": list(part.warnings),
                "rows": [row_dict(part, row, keys) for row in part.rows],
                "trials": [list(key) for key in keys],
            }
        )
    return defined({"wsolkit": __version__, "baseline": table.baseline, "missing": list(table.missing), "parts": parts})


def row_dict(part: Part, row: Row, keys: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Return a row as plain data."""
    facts = row.facts
    return {
        "name": row.name,
        **{name: getattr(facts, name) for name in ("method", "cam", "backbone", "budget", "settings_hash")},
        "options": dict(facts.options),
        "trivial": row.trivial,
        "boxes": row.boxes,
        "numbers": {title: None if cell is None else cell_dict(cell) for title, cell in row.cells.items()},
        "gap": row.gap,
        **{name: row.mean(name) for name in FACTS},
        "against": {
            kind: {"name": each.name, **({} if each.found is None else each.found.as_dict()), "p_holm": each.p_holm}
            | {"better": each.better, "worse": each.worse, "seeds": each.seeds}
            for kind, each in row.against.items()
        },
        "printed": [each._asdict() if hasattr(each, "_asdict") else asdict(each) for each in row.printed],
        "curves": {title: band_dict(band) for title, band in row_bands(part, row).items()},
        "seeds": [seed_dict(*each) for each in zip(row.jobs, row.evaluations, strict=True)],
        "missing": [{"seed": each.seed, "error": each.error, "folder": folder_name(each)} for each in row.missing],
        "hits": [] if row.hits is None else letters_of(row.hits, keys),
    }


def row_bands(part: Part, row: Row) -> dict[str, Band]:
    """Return the threshold curves of a row by the metric of the table's first column."""
    return bands_of(row.evaluations, part.columns[0].metric) if part.columns else {}


def cell_dict(cell: OverSeeds) -> dict[str, Any]:
    """Return a number as plain data."""
    return {**asdict(cell), "lowest": cell.lowest, "highest": cell.highest}


def band_dict(band: Band) -> dict[str, Any]:
    """Return a band as plain data, to four digits, as text: a page of numbers would be a line each."""
    return {"x_label": band.x_label, "y_label": band.y_label} | {
        name: " ".join(f"{value:.4g}" for value in getattr(band, name)) for name in ("x", "mean", "low", "high")
    }


def seed_dict(job: JobFacts, evaluation: Evaluation) -> dict[str, Any]:
    """Return a seed as plain data, with every number it was scored by: percent, the oracle's, the threshold."""
    numbers = {
        f"{result.metric}: {number.name}": [
            None if number.honest is None else number.honest.score.percent,
            None if number.oracle is None else number.oracle.score.percent,
            None if number.honest is None else number.honest.threshold,
        ]
        for result in evaluation.results
        for number in numbers_of(result)
    }
    return {
        "seed": job.seed,
        "folder": folder_name(job),
        "evaluation": printable(str(evaluation.path)),
        "device": job.device,
        "measured_on": job.measured_on,
        "command": job.command,
        "epochs": job.epochs,
        **{name: getattr(job, name) for name in FACTS},
        "percent_oracle_threshold": {name: " ".join(map(plain_text, values)) for name, values in numbers.items()},
    }


def folder_name(job: JobFacts) -> str | None:
    """Return the name of a job's folder; None where it is not known."""
    return None if job.folder is None else job.folder.name


def plain_text(value: float | None) -> str:
    """Return a number as text that reads back as the same.

    >>> plain_text(None), plain_text(0.1)
    ('-', '0.1')
    """
    return "-" if value is None or not math.isfinite(value) else repr(float(value))


def letters_of(hits: Hits, keys: Sequence[tuple[str, int]]) -> list[str]:
    """Return for each seed a letter for each trial.

    >>> letters_of(Hits((("a", 0), ("c", 0)), np.array([[True, False]])), [("a", 0), ("b", 0), ("c", 0)])
    ['1-0']
    """
    places = {key: place for place, key in enumerate(hits.keys)}
    return ["".join("01"[int(seed[places[key]])] if key in places else "-" for key in keys) for seed in hits.hits]


def defined(value: Any) -> Any:
    """Return plain data for JSON: NaN and infinities become None, names of files text."""
    if isinstance(value, Mapping):
        return {str(name): defined(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [defined(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def as_csv(table: BenchmarkTable) -> str:
    """Return the rows of all data sets as CSV; a number without a value is empty."""
    titles = list(dict.fromkeys(column.title for part in table.parts for column in part.columns))
    rows = [csv_row(part, row, titles) for part in table.parts for row in part.rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def csv_row(part: Part, row: Row, titles: Sequence[str]) -> dict[str, Any]:
    """Return a row of the CSV file."""
    facts, against = row.facts, row.against.get("baseline")
    found = None if against is None else against.found
    values: dict[str, Any] = {"data": part.data, "name": row.name, "method": facts.method, "cam": facts.cam}
    values |= {
        "backbone": facts.backbone,
        "budget": budget_words(facts) or None,
        "options": json.dumps(defined(facts.options), ensure_ascii=False) if facts.options else None,
    }
    values |= {"trivial": int(row.trivial), "boxes": int(row.boxes), "seeds": row.seeds}
    for title in titles:
        cell = row.cells.get(title)
        for name in ("mean", "low", "high", "lowest", "highest"):
            values[title if name == "mean" else f"{title} {name}"] = None if cell is None else getattr(cell, name)
    values |= {"gap": row.gap, "against": None if against is None else against.name}
    for name in ("difference", "low", "high", "p"):
        values[name if name in ("difference", "p") else f"difference {name}"] = found and getattr(found, name)
    values["p_holm"] = None if against is None else against.p_holm
    values |= {name: row.mean(name) for name in FACTS}
    return {name: "" if value is None or value != value else value for name, value in values.items()}
