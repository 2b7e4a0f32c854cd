"""An evaluation as a table of a terminal: every number beside those of the trivial baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsolkit.errors import printable
from wsolkit.evaluation.mean_box import MEAN_BOX
from wsolkit.evaluation.results import Line
from wsolkit.report.evaluation import Evaluation, Number, numbers_of

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["evaluation_table", "number_row"]

SHORT = {
    "centre box (half the area)": "centre\nbox",
    "centred Gaussian blob": "centred\nblob",
    "whole image": "whole\nimage",
    MEAN_BOX: "mean\nbox *",
}
"""What a narrow column calls a baseline."""


def evaluation_table(evaluation: Evaluation) -> Table:
    """Return the table of an evaluation: a row for each number, grouped by protocol."""
    from rich.table import Table
    from rich.text import Text

    shown = [number.honest or number.oracle for result in evaluation.results for number in numbers_of(result)]
    selections = {line.selection for line in shown if line is not None and line.selection}
    localized = any(result.metric == "localization" for result in evaluation.results)
    judged = f" Boxes of `localization`: {evaluation.extractor}." if evaluation.extractor and localized else ""
    chosen = (
        f" Thresholds (at) are {', '.join(sorted(selections))}; the oracle's are chosen on these very boxes and masks, "
        "for comparison only."
        if selections
        else ""
    )
    at = next((n.label_free.threshold for r in evaluation.results for n in numbers_of(r) if n.label_free), None)
    chosen += "" if at is None else f" The label-free threshold, {at:.3f}, comes from the maps alone."
    compared = " Beside it the trivial baselines, at thresholds chosen in the same way." if evaluation.baselines else ""
    compared += f" * {MEAN_BOX}." if MEAN_BOX in evaluation.baselines else ""
    table = Table(
        padding=(0, 1, 0, 0),
        title=Text(printable(f"{evaluation.split} split, {evaluation.images} images")),
        title_justify="left",
        caption=f"Percent, 95 % intervals; micro averages over trials, macro over classes.{chosen}{judged}{compared}",
        caption_justify="left",
    )
    free = any(number.label_free for result in evaluation.results for number in numbers_of(result))
    table.add_column("", overflow="fold")
    for name in ("micro", "interval", "macro", "at", *["label\nfree"] * free, "oracle", "gap"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in evaluation.baselines:
        table.add_column(SHORT.get(name, name), justify="right", no_wrap=True)
    for result in evaluation.results:
        table.add_row(Text(printable(result.metric), style="bold"))
        numbers = numbers_of(result)
        for place, number in enumerate(numbers):
            beside = [baseline_number(evaluation, name, result.metric, number.name) for name in evaluation.baselines]
            last = place + 1 == len(numbers)
            table.add_row(Text(f"  {printable(number.name)}"), *number_row(number, free), *beside, end_section=last)
    return table


def number_row(number: Number, free: bool = False) -> list[str]:
    """Return the cells of a number: micro, interval, macro, threshold, the oracle's number and the gap to it.

    Args:
        number: the number.
        free: whether there is a column for the number at the label-free threshold, before the oracle's.
    """
    line = number.honest or number.oracle
    assert line is not None
    score, gap = line.score, number.gap
    interval = f"{score.low:.1f} - {score.high:.1f}" if score.low == score.low else ""
    return [
        f"{score.percent:.1f}" if number.honest else "-",
        interval,
        "" if score.macro is None else f"{score.macro:.1f}",
        "" if line.threshold is None else f"{line.threshold:.3f}",
        *[f"{number.label_free.score.percent:.1f}" if number.label_free else ""] * free,
        f"{number.oracle.score.percent:.1f}" if number.oracle else "",
        "" if gap is None else f"{gap:+.1f}",
    ]


def baseline_number(evaluation: Evaluation, baseline: str, metric: str, name: str) -> str:
    """Return a baseline's number as text, the honest one before the oracle's; nothing where it has none."""
    found: list[Line | None] = [
        number.honest or number.oracle
        for result in evaluation.baselines[baseline]
        if result.metric == metric
        for number in numbers_of(result)
        if number.name == name
    ]
    return f"{found[0].score.percent:.1f}" if found and found[0] is not None else ""
