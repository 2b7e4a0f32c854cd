"""The table in a terminal: columns that do not fit beside each other follow in further tables of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wsolkit.errors import printable
from wsolkit.report.benchmark.layout import Cell, Heading, head_words, headings_of, legend_of, row_label
from wsolkit.report.benchmark.sentences import of_data, sentences_of
from wsolkit.report.benchmark.table import BenchmarkTable, Part

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["print_benchmark"]

NAME_WIDTH = 26
"""Letters of the widest name column; longer names are broken."""


def print_benchmark(table: BenchmarkTable, console: Console) -> None:
    """Print a table, what it says in sentences, and what is missing."""
    from rich.text import Text

    sentences = sentences_of(table)
    for part in table.parts:
        console.print(Text(printable(head_words(part)), style="bold"))
        for group in groups_of(part, console.width):
            console.print(shown(part, group))
        console.print(Text(printable(legend_of(part)), style="dim"))
        for sentence in of_data(sentences, part.data):
            console.print(Text(printable(f"- {sentence.text}")))
        if part.warnings:
            console.print(Text("Not the same in all rows; a fair table needs the same everywhere:", style="yellow"))
            for warning in part.warnings:
                console.print(Text(printable(f"  {warning}"), style="yellow"))
    if table.missing:
        console.print(Text("Not in these numbers:", style="bold yellow"))
        for words in table.missing:
            console.print(Text(printable(f"  {words}"), style="yellow"))


def lines_of(cell: Cell) -> list[str]:
    """Return the lines of a cell: the number, then its spread and its interval.

    >>> lines_of(Cell("83.0", "(81.6-83.8) [80.2, 85.7]"))
    ['83.0', '81.6-83.8', '80.2, 85.7']
    """
    more = cell.more.replace("(", "").replace(")", "\n").replace("[", "").replace("]", "")
    return [cell.text, *(line.strip() for line in more.split("\n") if line.strip())]


def width_of(part: Part, heading: Heading) -> int:
    """Return how many letters a column takes, with the space beside it."""
    title = max(len(word) for word in heading.title.split())
    return max([title, *(len(line) for row in part.rows for line in lines_of(heading.cell(row)))]) + 3


def groups_of(part: Part, width: int) -> list[list[Heading]]:
    """Return the columns in groups that fit a terminal beside the names, at least one column in each."""
    room = width - min(NAME_WIDTH, max((len(row_label(row)) for row in part.rows), default=0)) - 4
    groups: list[list[Heading]] = []
    left = 0
    for heading in headings_of(part):
        needed = width_of(part, heading)
        if not groups or needed > left:
            groups.append([])
            left = room
        groups[-1].append(heading)
        left -= needed
    return groups


def shown(part: Part, headings: Sequence[Heading]) -> Table:
    """Return some columns of a table, the trivial baselines below a line."""
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column("", max_width=NAME_WIDTH, overflow="fold")
    for heading in headings:
        table.add_column(Text(heading.title), justify="right")
    for place, row in enumerate(part.rows):
        cells = []
        for heading in headings:
            cell = heading.cell(row)
            first, *more = lines_of(cell)
            text = Text(first, style="bold" if cell.best else "", justify="right")
            for line in more:
                text.append(f"\n{line}", style="not bold dim")
            cells.append(text)
        last = place + 1 < len(part.rows) and part.rows[place + 1].trivial and not row.trivial
        table.add_row(Text(printable(row_label(row))), *cells, end_section=last)
    return table
