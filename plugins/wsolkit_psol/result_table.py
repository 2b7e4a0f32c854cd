"""The numbers of a combination as a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence

from wsolkit.evaluation import Result

__all__ = ["result_table"]


def result_table(results: Sequence[Result]) -> str:
    """Return the numbers of several results as a Markdown table, with their conventions below.

    >>> from wsolkit.evaluation import BoxAcc
    >>> metric = BoxAcc((0.5,))
    >>> metric.update("a", [0, 0, 4, 4], [[0, 0, 4, 4]], label=0)
    >>> print(result_table([metric.compute()]).splitlines()[2])
    | BoxAcc | BoxAcc@50 | 100.00 | 20.65 to 100.00 | 100.00 | 1 |
    """
    rows = ["| metric | number | micro (%) | 95 % interval | macro (%) | images |", "|---|---|--:|---|--:|--:|"]
    for result in results:
        for line in result.lines:
            score = line.score
            macro = "-" if score.macro is None else f"{score.macro:.2f}"
            interval = f"{score.low:.2f} to {score.high:.2f}"
            rows.append(f"| {result.metric} | {line.name} | {score.percent:.2f} | {interval} | {macro} | {score.n} |")
    notes = [
        f"- {result.metric}: " + "; ".join(f"{name}: {value}" for name, value in result.conventions.items()) + "."
        for result in results
    ]
    return "\n".join([*rows, "", *notes, ""])
