"""A row of the table: a method with its seeds, or a trivial baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wsolkit.evaluation.over_seeds import OverSeeds, SeedDifference
from wsolkit.plugins.methods import Method
from wsolkit.report.benchmark.columns import Column, drawn_hits_in, hits_in, mean_gap, over_seeds
from wsolkit.report.benchmark.hits import Hits
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.job_facts import JobFacts

__all__ = [
    "Against",
    "Printed",
    "Row",
    "budget_words",
    "method_row",
    "option_words",
    "own_words",
    "settings_words",
    "trivial_rows",
]


@dataclass(frozen=True)
class Against:
    """A row against another one.

    Attributes:
        name: the other row.
        found: how they differ, this row minus the other, on the seeds that both have; None where they cannot be
            compared.
        p_holm: the p value, corrected for how many rows are compared with such a one.
        seeds: on how many seeds, where one of the two has others too; else None.
    """

    name: str
    found: SeedDifference | None
    p_holm: float | None = None
    seeds: int | None = None

    @property
    def better(self) -> bool:
        """Whether this row is better by more than chance: by the corrected p value and by the whole interval."""
        return self.found is not None and self.p_holm is not None and self.p_holm < 0.05 and self.found.low > 0

    @property
    def worse(self) -> bool:
        """Whether this row is worse by more than chance, likewise."""
        return self.found is not None and self.p_holm is not None and self.p_holm < 0.05 and self.found.high < 0


@dataclass(frozen=True)
class Printed:
    """A number that a paper prints of this method on this data: its name there, its value, ours of the same kind."""

    name: str
    value: float
    ours: float | None = None


@dataclass(frozen=True)
class Row:
    """A method on one data set, over its seeds.

    Attributes:
        name: what the table calls it.
        facts: what the benchmark knows of its first seed; of a trivial baseline the data alone.
        trivial: whether it is a trivial baseline.
        boxes: whether it was trained with people's boxes.
        cells: its numbers, by the columns' titles; None where it has none.
        gap: points that the oracle's threshold would add to the first column.
        evaluations: one for each seed; of a trivial baseline none.
        jobs: what the benchmark knows of each seed.
        missing: jobs of this row that failed or have not run.
        hits: what its seeds hit; None where the first column is not the mean of that.
        against: how it compares, by what the other is: ``baseline``, ``blob``, ``boxes``.
        printed: numbers of papers on the same data.
    """

    name: str
    facts: JobFacts
    trivial: bool = False
    boxes: bool = False
    cells: Mapping[str, OverSeeds | None] = field(default_factory=dict)
    gap: float | None = None
    evaluations: tuple[Evaluation, ...] = ()
    jobs: tuple[JobFacts, ...] = ()
    missing: tuple[JobFacts, ...] = ()
    hits: Hits | None = None
    against: Mapping[str, Against] = field(default_factory=dict)
    printed: tuple[Printed, ...] = ()

    @property
    def seeds(self) -> int:
        """How many seeds are in its numbers."""
        return len(self.jobs)

    def mean(self, what: str) -> float | None:
        """Return the mean of a fact over the seeds that say it, such as ``train_minutes``; None where none does."""
        values = [value for value in (getattr(job, what) for job in self.jobs) if value is not None]
        return sum(values) / len(values) if values else None

    @property
    def minutes(self) -> float | None:
        """Minutes of training and scoring, in the mean over seeds; None where nothing is known."""
        known = [value for value in (self.mean("train_minutes"), self.mean("test_minutes")) if value is not None]
        return sum(known) if known else None


def method_row(
    jobs: Sequence[tuple[JobFacts, Evaluation]],
    missing: Sequence[JobFacts],
    columns: Sequence[Column],
    name: str,
    method: Method | None,
) -> Row:
    """Return the row of a method.

    Args:
        jobs: its finished seeds; at least one, or one that is missing.
        missing: its other seeds.
        columns: the columns of its data set.
        name: what the table calls it.
        method: what its card says; None where there is none.
    """
    facts = sorted(jobs, key=lambda job: (job[0].seed is not None, job[0].seed or 0))
    evaluations = tuple(each for _, each in facts)
    known = [each for each, _ in facts] or list(missing)
    with_boxes = (method is not None and method.trained_with == "boxes") or any(each.boxes_used for each in known)
    return Row(
        name,
        known[0],
        boxes=with_boxes,
        cells={column.title: over_seeds(evaluations, column) for column in columns},
        gap=mean_gap(evaluations, columns[0]) if columns else None,
        evaluations=evaluations,
        jobs=tuple(each for each, _ in facts),
        missing=tuple(missing),
        hits=hits_in(evaluations, columns[0]) if columns and evaluations else None,
    )


def trivial_rows(evaluations: Sequence[Evaluation], columns: Sequence[Column], data: str) -> list[Row]:
    """Return the rows of the trivial baselines, of the first evaluation that has them, and their hits if one says."""
    first = next((each for each in evaluations if each.baseline_hits), None)
    first = first or next((each for each in evaluations if each.baselines), None)
    if first is None:
        return []
    rows = []
    for name, results in first.baselines.items():
        alone = (Evaluation(name, first.split, first.images, list(results), path=first.path),)
        cells = {column.title: over_seeds(alone, column) for column in columns}
        gap = mean_gap(alone, columns[0]) if columns else None
        hits = drawn_hits_in(first, name, alone[0], columns[0]) if columns else None
        rows.append(Row(name, JobFacts(name, data=data), True, cells=cells, gap=gap, hits=hits))
    return rows


def option_words(facts: JobFacts) -> str:
    """Return what makes a job another one than the method's usual, in words; nothing where nothing does.

    >>> option_words(JobFacts("CAM", options={"model.head.x": 2}, budget="6 epochs"))
    'x=2, 6 epochs'
    """
    said = [f"{name.rpartition('.')[2]}={plain(value)}" for name, value in facts.options.items()]
    return ", ".join(filter(None, [*said, budget_words(facts)]))


def budget_words(facts: JobFacts) -> str:
    """Return a budget of a method's own in words; nothing where it has the benchmark's.

    >>> budget_words(JobFacts("CAM", budget={"epochs": 50, "iterations": None})), budget_words(JobFacts("CAM"))
    ('50 epochs', '')
    """
    if not isinstance(facts.budget, Mapping):
        return "" if facts.budget is None else plain(facts.budget)
    named = [f"{plain(value)} {name}" for name, value in facts.budget.items() if value is not None]
    return ", ".join(named) or "as its configuration says"


def settings_words(facts: JobFacts) -> str:
    """Return the first letters of the hash of a job's settings; nothing where it says none.

    >>> settings_words(JobFacts("CAM", settings_hash="3f0c9a"))
    'settings 3f0c'
    """
    return facts.settings_hash and f"settings {facts.settings_hash[:4]}"


def own_words(facts: JobFacts) -> str:
    """Return what a table has to say below it of a row: a budget of its own, and the options that a search chose.

    >>> own_words(JobFacts("CAM", options={"optim_wrapper.optimizer.lr": 0.02}, budget="its own stages"))
    'a budget of its own (its own stages); options chosen by a search (optim_wrapper.optimizer.lr=0.02)'
    """
    budget = budget_words(facts)
    options = ", ".join(f"{name}={plain(value)}" for name, value in facts.options.items())
    found = [f"a budget of its own ({budget})"] * bool(budget)
    return "; ".join([*found, *[f"options chosen by a search ({options})"] * bool(options)])


def plain(value: Any) -> str:
    """Return a value as text."""
    return value if isinstance(value, str) else json.dumps(value, default=str)
