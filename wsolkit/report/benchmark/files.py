"""The files of a table: Markdown, LaTeX, CSV, JSON and a page, beside the jobs they are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsolkit.errors import DataError, printable
from wsolkit.files import write_text
from wsolkit.report.benchmark.numbers import as_csv, as_dict
from wsolkit.report.benchmark.page import page_content
from wsolkit.report.benchmark.table import BenchmarkTable, table_of
from wsolkit.report.benchmark.texts import as_latex, as_markdown
from wsolkit.report.job_facts import JobFacts, read_jobs
from wsolkit.report.page import PAGE, write_page

__all__ = ["read_again", "write_benchmark"]

NUMBERS = "table.json"


def read_again(folder: str | Path) -> BenchmarkTable:
    """Return the table that a benchmark's folder holds, made of its jobs once more; of all of them where none is yet.

    A job that the table says is missing and that has been finished since is in it.

    Raises:
        ConfigError: no job is finished.
        DataError: a job's file is damaged.
    """
    try:
        known = json.loads((Path(folder) / NUMBERS).read_text("utf-8"))
        baseline = str(known["baseline"])
        rows = [{**row, "data": part["data"]} for part in known["parts"] for row in part["rows"]]
        names = {str(seed["folder"]) for row in rows for seed in row["seeds"]}
        missing = [(each.get("folder"), JobFacts.from_dict({**row, **each})) for row in rows for each in row["missing"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, DataError):
        done, unfinished = read_jobs(folder)
        return table_of(done, missing=unfinished)
    late = {str(name) for name, _ in missing if name}
    done, _ = read_jobs(folder, names | late)
    ended = {facts.folder.name for facts, _ in done if facts.folder is not None}
    return table_of(done, baseline, [facts for name, facts in missing if name not in ended])


def write_benchmark(table: BenchmarkTable, folder: str | Path, trials: Sequence[Mapping[str, Any]] = ()) -> list[Path]:
    """Write ``table.json``, ``table.md``, ``table.tex``, ``table.csv`` and ``index.html`` and return their paths.

    Everything is made before the first file is written; each is written whole or not at all.

    Args:
        table: the table.
        folder: the benchmark's folder.
        trials: every trial of a search of hyper-parameters, which ``table.json`` keeps; without any, those that it
            has of an earlier search.

    Raises:
        DataError: a file cannot be written.
    """
    folder = Path(folder)
    content = page_content(table, folder)
    kept = list(trials) or earlier_trials(folder)
    numbers = as_dict(table) | ({"trials": kept} if kept else {})
    texts = {
        NUMBERS: json.dumps(numbers, indent=1, ensure_ascii=False) + "\n",
        "table.md": as_markdown(table),
        "table.tex": as_latex(table),
        "table.csv": as_csv(table),
    }
    for name, text in texts.items():
        try:
            write_text(folder / name, printable(text))
        except OSError as error:
            raise DataError(
                f"{folder / name} cannot be written: {error.strerror or error}. Choose another folder."
            ) from error
    return [*(folder / name for name in texts), write_page(folder / PAGE, "benchmark.html.j2", content)]


def earlier_trials(folder: Path) -> list[Any]:
    """Return the trials of an earlier search that ``table.json`` has; none where it has none or is damaged."""
    try:
        known = json.loads((folder / NUMBERS).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    found = known.get("trials") if isinstance(known, Mapping) else None
    return list(found) if isinstance(found, list) else []
