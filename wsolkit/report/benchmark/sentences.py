"""What a table says, in sentences: which methods beat the baseline, the blob and boxes, the best, what minutes buy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from wsolkit.report.benchmark.rows import Against, Row
from wsolkit.report.benchmark.table import RIVALS, BenchmarkTable, Part
from wsolkit.report.comparison_page import p_words
from wsolkit.report.page import percent

__all__ = ["Sentence", "frontier", "sentences_of", "step_of"]

WHAT = {"baseline": "the baseline", "blob": "a blob that never looks", "boxes": "the best trained with boxes"}


class Sentence(NamedTuple):
    """An answer of the table: the data set, the question's kind, the answer, and the same as plain data."""

    data: str
    kind: str
    text: str
    facts: dict[str, Any]


def sentences_of(table: BenchmarkTable) -> list[Sentence]:
    """Return what a table says, data set by data set."""
    found = []
    for part in table.parts:
        if part.columns:
            found += [
                beaten(part, kind) for kind in RIVALS if any(kind in row.against and row.seeds for row in part.rows)
            ]
            found += best(part)
            found += bought(part)
    return found


def beaten(part: Part, kind: str) -> Sentence:
    """Return which methods beat a rival, which do not reach it, and which cannot be told from it."""
    name = next(row.against[kind].name for row in part.rows if kind in row.against)
    rival = next(row for row in part.rows if row.name == name)
    rows = [row for row in part.rows if kind in row.against and row.seeds]
    groups: dict[str, list[Row]] = {"better": [], "worse": [], "open": [], "not compared": []}
    for row in rows:
        found = row.against[kind]
        known = found.found is not None and found.p_holm is not None
        place = "better" if found.better else "worse" if found.worse else "open" if known else "not compared"
        groups[place].append(row)
    heads = {
        "better": ("beats it", "beat it"),
        "worse": ("does not reach it", "do not reach it"),
        "open": ("cannot be told from it", "cannot be told from it"),
        "not compared": ("could not be compared with it", "could not be compared with it"),
    }
    words = []
    for place, each in groups.items():
        if each:
            listed = "; ".join(f"{row.name}{said(row.against[kind])}" for row in each)
            words.append(f"{len(each)} {heads[place][len(each) > 1]}: {listed}")
    text = (
        f"Against {name}, {WHAT[kind]} ({percent(part.score(rival))} {part.first}), of {len(rows)} "
        f"method{'s' * (len(rows) != 1)}: {'. '.join(words) or 'none was scored'}."
    )
    facts = {
        "rival": name,
        "score": part.score(rival),
        **{place: [row_facts(row, kind) for row in each] for place, each in groups.items()},
    }
    return Sentence(part.data, kind, text, facts)


def said(against: Against) -> str:
    """Return a difference in words, with its interval, its p value, and its seeds where not all have them."""
    found = against.found
    if found is None:
        return ""
    seeds = "" if against.seeds is None else f", {against.seeds} seed{'s' * (against.seeds != 1)}"
    return f" {found.difference:+.1f} [{found.low:+.1f}, {found.high:+.1f}], p {p_words(against.p_holm)}{seeds}"


def row_facts(row: Row, kind: str) -> dict[str, Any]:
    """Return a row's difference as plain data."""
    found = row.against[kind]
    return {"name": row.name, "p_holm": found.p_holm, **({} if found.found is None else found.found.as_dict())}


def best(part: Part) -> list[Sentence]:
    """Return the best method without boxes by each column, in one sentence, with the gap to the best with boxes."""
    words, facts = [], []
    for column in part.columns:
        kinds: list[Callable[[Row], bool]] = [lambda row: not row.boxes, lambda row: row.boxes]
        leaders = [leader(part, column.title, kind) for kind in kinds]
        if leaders[0] is None:
            continue
        cell = leaders[0].cells[column.title]
        assert cell is not None
        seeds = f", seeds {cell.lowest:.1f} to {cell.highest:.1f}" if len(cell.by_seed) > 1 else ", one seed"
        text = f"{column.title} {leaders[0].name} ({cell.mean:.1f} [{cell.low:.1f}, {cell.high:.1f}]{seeds}"
        facts.append({"column": column.title, "name": leaders[0].name, "mean": cell.mean})
        if leaders[1] is not None:
            above = leaders[1].cells[column.title]
            assert above is not None
            text += f"; with boxes {leaders[1].name} {above.mean:.1f}"
            facts[-1] |= {"with_boxes": leaders[1].name, "mean_with_boxes": above.mean}
        words.append(f"{text})")
    if not words:
        return []
    return [Sentence(part.data, "best", f"The best from labels alone: {'; '.join(words)}.", {"best": facts})]


def leader(part: Part, column: str, wanted: Callable[[Row], bool]) -> Row | None:
    """Return the best row of a column among those of a kind; None without any."""
    having = [row for row in part.rows if not row.trivial and wanted(row) and row.cells.get(column) is not None]
    return max(having, key=lambda row: row.cells[column].mean, default=None)  # type: ignore[union-attr]


def frontier(part: Part) -> list[Row]:
    """Return the methods from labels alone that no other one beats in less time, the fastest first."""
    having = [row for row in part.rows if row.minutes is not None and part.score(row) is not None and not row.boxes]
    found: list[Row] = []
    for row in sorted(having, key=lambda row: (row.minutes or 0.0, -(part.score(row) or 0.0))):
        if not found or (part.score(row) or 0.0) > (part.score(found[-1]) or 0.0):
            found.append(row)
    return found


def bought(part: Part) -> list[Sentence]:
    """Return what minutes of training and scoring buy: the frontier of quality and time."""
    rows = frontier(part)
    if not rows:
        return []
    words, facts = [], []
    for place, row in enumerate(rows):
        minutes, score = row.minutes or 0.0, part.score(row) or 0.0
        facts.append({"name": row.name, "minutes": minutes, "score": score})
        text = f"{minutes_words(minutes)} {row.name} ({score:.1f})"
        if place:
            text += step_of(rows[place - 1], row, part)
        words.append(text)
    last = "" if len(rows) == 1 else " More time bought nothing better here."
    text = f"What time buys, by {part.first} (training and scoring): {'; '.join(words)}.{last}"
    return [Sentence(part.data, "time", text, {"frontier": facts})]


def step_of(before: Row, row: Row, part: Part) -> str:
    """Return what the step from one method to the next, slower and better one brings, in words."""
    more = (row.minutes or 0.0) - (before.minutes or 0.0)
    gain = (part.score(row) or 0.0) - (part.score(before) or 0.0)
    return f", {gain:+.1f} points for {minutes_words(more)} more"


def minutes_words(minutes: float) -> str:
    """Return a time in words.

    >>> minutes_words(0.2), minutes_words(2.04), minutes_words(90)
    ('12 s', '2.0 min', '1.5 h')
    """
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    return f"{minutes:.1f} min" if minutes < 60 else f"{minutes / 60:.1f} h"


def of_data(found: Sequence[Sentence], data: str) -> list[Sentence]:
    """Return the sentences of one data set."""
    return [each for each in found if each.data == data]
