"""The files of a table: Markdown, LaTeX, CSV, JSON and a page, beside the jobs they are made of."""

from __future__ import annotations

import json
from pathlib import Path

from wsolkit.errors import DataError, printable
from wsolkit.files import write_text
from wsolkit.report.benchmark.numbers import as_csv, as_dict
from wsolkit.report.benchmark.page import page_content
from wsolkit.report.benchmark.table import BenchmarkTable
from wsolkit.report.benchmark.texts import as_latex, as_markdown
from wsolkit.report.page import PAGE, write_page

__all__ = ["baseline_of", "write_benchmark"]

NUMBERS = "table.json"


def baseline_of(folder: str | Path) -> str:
    """Return the baseline of the table that a folder holds; ``CAM`` where none was written yet.

    >>> baseline_of("nowhere")
    'CAM'
    """
    try:
        return str(json.loads((Path(folder) / NUMBERS).read_text("utf-8"))["baseline"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "CAM"


def write_benchmark(table: BenchmarkTable, folder: str | Path) -> list[Path]:
    """Write ``table.json``, ``table.md``, ``table.tex``, ``table.csv`` and ``index.html`` and return their paths.

    Everything is made before the first file is written; each is written whole or not at all.

    Args:
        table: the table.
        folder: the benchmark's folder.

    Raises:
        DataError: a file cannot be written.
    """
    folder = Path(folder)
    content = page_content(table, folder)
    texts = {
        NUMBERS: json.dumps(as_dict(table), indent=1, ensure_ascii=False) + "\n",
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
