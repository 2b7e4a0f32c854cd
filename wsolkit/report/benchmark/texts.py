"""The table for a paper or a README: Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from wsolkit.report.benchmark.layout import Cell, Heading, head_words, headings_of, legend_of, row_label
from wsolkit.report.benchmark.rows import Row
from wsolkit.report.benchmark.sentences import of_data, sentences_of
from wsolkit.report.benchmark.table import BenchmarkTable
from wsolkit.report.comparison_page import escaped

__all__ = ["as_latex", "as_markdown"]

LETTERS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}
LAST_LETTER = "\u017f"
"""The last letter that LaTeX's usual fonts have."""


def as_markdown(table: BenchmarkTable) -> str:
    """Return the table in Markdown: a table for each data set, what it says, printed numbers, what is missing."""
    rows: list[str] = []
    sentences = sentences_of(table)
    for part in table.parts:
        headings = headings_of(part)
        rows += [f"## {escaped(head_words(part))}", ""]
        rows += [f"| | {' | '.join(escaped(each.title) for each in headings)} |", "|---|" + "--:|" * len(headings)]
        for row in part.rows:
            cells = " | ".join(markdown_cell(heading.cell(row)) for heading in headings)
            rows.append(f"| {escaped(row_label(row))} | {cells} |")
        rows += ["", escaped(legend_of(part)), ""]
        rows += [f"- {escaped(each.text)}" for each in of_data(sentences, part.data)]
        rows += ["", *printed_table(part.rows)]
        if part.warnings:
            rows += ["Not the same in all rows:", "", *(f"- {escaped(each)}" for each in part.warnings), ""]
    if table.missing:
        rows += ["Not in these numbers:", "", *(f"- {escaped(each)}" for each in table.missing), ""]
    return "\n".join(rows)


def markdown_cell(cell: Cell) -> str:
    r"""Return a cell in Markdown.

    >>> print(markdown_cell(Cell("83.0", "[80.2, 85.7]", best=True)))
    **83.0** \[80.2, 85.7\]
    """
    number = f"**{escaped(cell.text)}**" if cell.best else escaped(cell.text)
    return f"{number} {escaped(cell.more)}".strip()


def printed_table(rows: Sequence[Row]) -> list[str]:
    """Return the numbers of papers beside ours as lines of Markdown; nothing where there are none."""
    lines = [
        f"| {escaped(row.name)} | {escaped(each.name)} | {each.value:g} | "
        f"{'' if each.ours is None else f'{each.ours:.1f}'} |"
        for row in rows
        for each in row.printed
    ]
    head = ["Printed by papers on this data, beside ours of the same kind:", "", "| | printed | value | ours |"]
    return [*head, "|---|---|--:|--:|", *lines, ""] if lines else []


def as_latex(table: BenchmarkTable) -> str:
    """Return the table in LaTeX, one ``table`` for each data set; it needs the package ``booktabs``."""
    rows = ["% needs \\usepackage{booktabs}"]
    for part in table.parts:
        headings = headings_of(part)
        titles = " & ".join(latex(each.title) for each in headings)
        rows += [
            r"\begin{table}",
            r"\centering\small",
            rf"\begin{{tabular}}{{l{'r' * len(headings)}}}",
            r"\toprule",
            rf"method & {titles} \\" if headings else r"method \\",
            r"\midrule",
        ]
        for place, row in enumerate(part.rows):
            if row.trivial and place and not part.rows[place - 1].trivial:
                rows.append(r"\midrule")
            rows.append(latex_row(row, headings))
        rows += [r"\bottomrule", r"\end{tabular}"]
        rows.append(rf"\caption{{{latex(f'{head_words(part)}.')} ")
        rows += [f"{latex(legend_of(part))}}}", r"\end{table}"]
    return "\n".join(rows) + "\n"


def latex_row(row: Row, headings: Sequence[Heading]) -> str:
    """Return a row in LaTeX, the spread and interval of a number small behind it."""
    cells = [latex(row_label(row))]
    for heading in headings:
        cell = heading.cell(row)
        number = rf"\textbf{{{latex(cell.text)}}}" if cell.best else latex(cell.text)
        cells.append(rf"{number} {{\tiny {latex(cell.more)}}}" if cell.more else number)
    return " & ".join(cells) + r" \\"


def latex(text: str) -> str:
    r"""Return text that LaTeX sets as it is; letters that its usual fonts lack become ?.

    >>> print(latex("50 % of a_b & c\\d"))
    50 \% of a\_b \& c\textbackslash{}d
    """
    flat = " ".join(text.split())
    return "".join(LETTERS.get(letter, letter if letter <= LAST_LETTER else "?") for letter in flat)
