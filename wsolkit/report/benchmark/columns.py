"""Which numbers of a data set are the columns of its table, and each method's number in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wsolkit.evaluation.over_seeds import OverSeeds, mean_of_scores, mean_over_seeds
from wsolkit.evaluation.results import Line
from wsolkit.report.benchmark.hits import HITS, Hits, drawn_hits, hits_of, is_hit
from wsolkit.report.evaluation import Evaluation, Number, numbers_of

__all__ = ["Column", "columns_of", "drawn_hits_in", "hits_in", "mean_gap", "number_in", "over_seeds"]


class Column(NamedTuple):
    """A number of the table: the protocol it is of, its name there, and what the table calls it."""

    metric: str
    name: str
    title: str


SINGLE_LABEL = (
    Column("localization", "GT-known", "GT-known"),
    Column("MaxBoxAcc", "MaxBoxAcc@50", "MaxBoxAcc"),
    Column("MaxBoxAccV2", "MaxBoxAccV2", "MaxBoxAccV2"),
    Column("localization", "top-1 loc", "top-1 loc"),
    Column("accuracy", "top-1 accuracy", "top-1"),
)
MULTI_LABEL = (
    Column("localization", "GT-known", "GT-known"),
    Column("MaxBoxAcc", "MaxBoxAcc@50", "MaxBoxAcc"),
    Column("MaxBoxAccV2", "MaxBoxAccV2", "MaxBoxAccV2"),
    Column("CorLoc", "CorLoc", "CorLoc"),
    Column("point-mAP", "PointLocalizationMAP", "pointing mAP"),
    Column("mAP", "mAP", "mAP"),
    Column("box-mAP", "BoxMAP@50", "BoxMAP@50"),
    Column("box-mAP-given", "BoxMAP@50", "BoxMAP@50, classes given"),
)
MASKS = (Column("PxAP", "PxAP", "PxAP"), Column("mIoU", "mIoU", "mIoU"))
LEFT_OUT = {"BoxAcc", "MaxBoxAcc-exact", "CorLoc", "label-free threshold"}
"""Metrics whose numbers are in the JSON file, but say nearly the same as a column."""


def columns_of(evaluations: Sequence[Evaluation]) -> list[Column]:
    """Return the columns of a data set: the usual ones that some evaluation has, then the first of every other metric.

    No two have one title: the second number of a name is called after its metric.

    >>> columns_of([])
    []
    """
    having = {(result.metric, line.name) for each in evaluations for result in each.results for line in result.lines}
    several = any(metric == "mAP" for metric, _ in having)
    usual = (*(MULTI_LABEL if several else SINGLE_LABEL), *MASKS)
    found = [column for column in usual if (column.metric, column.name) in having]
    known = {column.metric for column in usual} | LEFT_OUT
    for each in evaluations:
        for result in each.results:
            if result.metric not in known and result.lines:
                known.add(result.metric)
                name = result.lines[0].name
                taken = any(column.title == name for column in found)
                found.append(Column(result.metric, name, f"{result.metric}: {name}" if taken else name))
    return found


def number_in(evaluation: Evaluation, column: Column) -> Number | None:
    """Return an evaluation's number in a column; None where it has none."""
    for result in evaluation.results:
        if result.metric == column.metric:
            return next((number for number in numbers_of(result) if number.name == column.name), None)
    return None


def line_of(evaluation: Evaluation, column: Column) -> Line | None:
    """Return the honest number of an evaluation in a column; None where it has none, or the oracle's alone."""
    number = number_in(evaluation, column)
    return None if number is None else number.honest


def over_seeds(evaluations: Sequence[Evaluation], column: Column) -> OverSeeds | None:
    """Return the mean of a column over seeds, from the hits of the single images where they give the same number.

    >>> over_seeds([], Column("PxAP", "PxAP", "PxAP")) is None
    True
    """
    scores = [line.score for line in (line_of(each, column) for each in evaluations) if line is not None]
    if not scores:
        return None
    hits = hits_in(evaluations, column)
    return mean_of_scores(scores) if hits is None else mean_over_seeds(*hits.by_image())


def hits_in(evaluations: Sequence[Evaluation], column: Column) -> Hits | None:
    """Return the hits of the single images that a column is the mean of; None where they do not give every number.

    >>> hits_in([], Column("PxAP", "PxAP", "PxAP")) is None
    True
    """
    judge = HITS.get((column.metric, column.name))
    if judge is None or not all(each.trials for each in evaluations):
        return None
    return agreeing(hits_of(evaluations, judge), evaluations, column)


def drawn_hits_in(evaluation: Evaluation, baseline: str, scored: Evaluation, column: Column) -> Hits | None:
    """Return the hits of a trivial baseline that its number in a column is the mean of, as ``hits_in``.

    Args:
        evaluation: one that says what the baseline hits.
        baseline: its name.
        scored: the baseline's own numbers.
        column: the column.
    """
    if HITS.get((column.metric, column.name)) is not is_hit:
        return None
    return agreeing(drawn_hits(evaluation, baseline), [scored], column)


def agreeing(hits: Hits | None, evaluations: Sequence[Evaluation], column: Column) -> Hits | None:
    """Return hits whose rates are the numbers of a column; None where they are not, or where there is no number."""
    lines = [line_of(each, column) for each in evaluations]
    if hits is None or any(line is None for line in lines):
        return None
    rates = mean_over_seeds(*hits.by_image()).by_seed
    known = [line.score.percent for line in lines if line is not None]
    return hits if all(abs(a - b) < 1e-6 for a, b in zip(rates, known, strict=True)) else None


def mean_gap(evaluations: Sequence[Evaluation], column: Column) -> float | None:
    """Return how many points the oracle's threshold would have added, in the mean over seeds; None where not known."""
    gaps = [number.gap for number in (number_in(each, column) for each in evaluations) if number is not None]
    known = [gap for gap in gaps if gap is not None]
    return sum(known) / len(known) if known else None
