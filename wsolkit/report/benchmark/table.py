"""One table of a benchmark: every method over its seeds, beside the trivial baselines, tested against a baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from wsolkit.errors import ConfigError, DataError
from wsolkit.evaluation.over_seeds import unpaired
from wsolkit.evaluation.paired import holm
from wsolkit.plugins.loading import load_methods
from wsolkit.plugins.methods import Method
from wsolkit.report.benchmark.columns import Column, columns_of, over_seeds
from wsolkit.report.benchmark.hits import common_seeds, compared
from wsolkit.report.benchmark.printed import printed_of
from wsolkit.report.benchmark.rows import Against, Row, method_row, option_words, settings_words, trivial_rows
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.fairness import convention_warnings, head_warnings, seed_warnings, training_warnings
from wsolkit.report.job_facts import JobFacts, with_known_settings

__all__ = ["BLOB", "RIVALS", "BenchmarkTable", "Part", "table_of"]

BLOB = "centred Gaussian blob"
RIVALS = ("baseline", "blob", "boxes")
"""What every row is tested against: the named baseline, the blob, and the best method that was trained with boxes."""


@dataclass(frozen=True)
class Part:
    """The table of one data set.

    Attributes:
        data: the data set.
        split: the split that was scored.
        images: how many images it has.
        columns: its numbers; the first is the one that rows are tested and sorted by.
        rows: the baseline, the other methods, best first, and the trivial baselines.
        warnings: what differs between the rows although a fair table needs it to be the same.
    """

    data: str
    split: str
    images: int
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    warnings: tuple[str, ...]

    @property
    def first(self) -> str:
        """Title of the first column; empty where nothing was scored."""
        return self.columns[0].title if self.columns else ""

    def score(self, row: Row) -> float | None:
        """Return a row's number in the first column."""
        cell = row.cells.get(self.first)
        return None if cell is None else cell.mean

    def best(self, column: str) -> set[str]:
        """Return the rows with the largest number of a column, to the digit shown, of those trained with labels."""
        values = {
            row.name: round(cell.mean, 1)
            for row in self.rows
            if (cell := row.cells.get(column)) is not None and not row.trivial and not row.boxes
        }
        return {name for name, value in values.items() if value == max(values.values())} if len(values) > 1 else set()


@dataclass(frozen=True)
class BenchmarkTable:
    """What a benchmark found.

    Attributes:
        baseline: the method that the others are tested against.
        parts: one table for each data set.
        missing: what did not run, or failed, in words.
    """

    baseline: str
    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()


def table_of(
    jobs: Sequence[tuple[JobFacts, Evaluation]],
    baseline: str = "CAM",
    missing: Sequence[JobFacts] = (),
    methods: Iterable[Method] | None = None,
) -> BenchmarkTable:
    """Put the jobs of a benchmark into one table.

    Jobs that differ in nothing but the seed are one row, those that say nothing of their settings with those that do.
    p values are corrected (Holm) for all rows of the table that
    are tested against the same kind of rival.

    Args:
        jobs: the finished jobs with their evaluations.
        baseline: the method that the others are tested against, on the same data and, where it has it, backbone.
        missing: jobs that failed or have not run.
        methods: what is known of methods; by default what the installed plugins' cards say.

    Raises:
        ConfigError: there is no finished job.
        DataError: two jobs are the same method, data and seed.
    """
    if not jobs:
        raise ConfigError("No job of this benchmark is finished, so there is no table. Run the benchmark.")
    told = with_known_settings([*(facts for facts, _ in jobs), *missing])
    missing = told[len(jobs) :]
    jobs = [(facts, evaluation) for facts, (_, evaluation) in zip(told[: len(jobs)], jobs, strict=True)]
    once = Counter((facts.row, facts.seed) for facts, _ in jobs)
    for (row, seed), count in once.items():
        if count > 1:
            raise DataError(f"Two jobs are {row[2]} on {row[0]} with seed {seed}. Remove one of their folders.")
    known = list(methods) if methods is not None else [method for method, _ in load_methods()]
    data = dict.fromkeys([facts.data for facts, _ in jobs] + [facts.data for facts in missing])
    parts = [
        part_of(
            name,
            [job for job in jobs if job[0].data == name],
            [facts for facts in missing if facts.data == name],
            baseline,
            known,
        )
        for name in data
    ]
    return BenchmarkTable(baseline, tuple(corrected(parts)), tuple(missing_words(missing)))


def part_of(
    data: str,
    jobs: Sequence[tuple[JobFacts, Evaluation]],
    missing: Sequence[JobFacts],
    baseline: str,
    methods: Sequence[Method],
) -> Part:
    """Return the table of one data set, its p values not corrected yet."""
    evaluations = [each for _, each in jobs]
    columns = columns_of(evaluations)
    keys = dict.fromkeys([facts.row for facts, _ in jobs] + [facts.row for facts in missing])
    names = names_of([next(f for f in [*(j for j, _ in jobs), *missing] if f.row == key) for key in keys])
    rows = []
    for key, name in zip(keys, names, strict=True):
        method = next((each for each in methods if each.is_called(key[2])), None)
        mine = [job for job in jobs if job[0].row == key]
        row = method_row(mine, [facts for facts in missing if facts.row == key], columns, name, method)
        rows.append(replace(row, printed=printed_of(method, row, data)) if method is not None else row)
    drawn = trivial_rows(evaluations, columns, data)
    found = Part(data, next((e.split for e in evaluations), ""), max((e.images for e in evaluations), default=0),
                 tuple(columns), (), ())  # fmt: skip
    rows.sort(key=lambda row: (not is_baseline(row, baseline), -(found.score(row) or 0.0), row.name))
    drawn.sort(key=lambda row: -(found.score(row) or 0.0))
    tested = [replace(row, against=rivals_of(row, [*rows, *drawn], found, baseline)) for row in [*rows, *drawn]]
    return replace(found, rows=tuple(tested), warnings=tuple(warnings_of(rows)))


def names_of(facts: Sequence[JobFacts]) -> list[str]:
    """Return what rows are called: the method, with whatever else is needed to tell it from the others.

    >>> names_of([JobFacts("CAM", "resnet50"), JobFacts("CAM", "vgg16"), JobFacts("ADL", "vgg16", cam="GradCAM")])
    ['CAM, resnet50', 'CAM, vgg16', 'ADL (GradCAM)']
    """
    short = [each.method + (f" ({each.cam})" if each.cam and each.cam != each.method else "") for each in facts]
    for words in (lambda each: each.backbone, option_words, settings_words):
        count = Counter(short)
        short = [
            f"{name}, {words(each)}" if count[name] > 1 and words(each) else name
            for name, each in zip(short, facts, strict=True)
        ]
    count, seen, found = Counter(short), Counter[str](), []
    for name in short:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if count[name] > 1 else name)
    return found


def is_baseline(row: Row, baseline: str) -> bool:
    """Whether a row is the named baseline: the method, or its name with its CAM method."""
    facts = row.facts
    return not row.trivial and (row.name == baseline or (facts.method == baseline and facts.cam in (None, baseline)))


def rivals_of(row: Row, rows: Sequence[Row], part: Part, baseline: str) -> dict[str, Against]:
    """Return how a row compares with each kind of rival that the table has; the rivals themselves have no entry."""
    named = sorted((each for each in rows if is_baseline(each, baseline)), key=lambda each: bool(each.facts.options))
    same = [each for each in named if row.trivial or each.facts.backbone == row.facts.backbone]
    supervised = [each for each in rows if each.boxes and part.score(each) is not None]
    found = {
        "baseline": next(iter(same or (named if len({each.facts.backbone for each in named}) == 1 else [])), None),
        "blob": next((each for each in rows if each.trivial and each.name == BLOB), None),
        "boxes": max(supervised, key=lambda each: part.score(each) or 0.0, default=None),
    }
    return {kind: against(row, other, part) for kind, other in found.items() if other is not None and other is not row}


def against(row: Row, other: Row, part: Part) -> Against:
    """Return how a row compares with another one on the seeds that both have.

    Image by image where both say what they hit, else by their intervals.
    """
    places = common_seeds(*([job.seed for job in each.jobs] for each in (row, other)))
    first, second = (on_seeds(each, seeds, part) for each, seeds in zip((row, other), places, strict=True))
    found = compared(second.hits, first.hits)
    mine, theirs = (each.cells.get(part.first) for each in (first, second))
    if found is None and mine is not None and theirs is not None:
        found = unpaired(theirs, mine)
    some = first is not row or second is not other
    return Against(other.name, found, seeds=len(places[0]) if some else None)


def on_seeds(row: Row, places: Sequence[int], part: Part) -> Row:
    """Return a row as if it had some of its seeds alone, with its number in the first column alone."""
    if len(places) == len(row.jobs) or not part.columns:
        return row
    number = over_seeds([row.evaluations[place] for place in places], part.columns[0])
    hits = None if row.hits is None else row.hits.of_seeds(places)
    return replace(row, cells={part.first: number}, hits=hits)


def corrected(parts: Sequence[Part]) -> list[Part]:
    """Return the tables with corrected p values: all methods' tests against one kind of rival are one family."""
    found = list(parts)
    for kind in RIVALS:
        tests = {
            (place, row.name): row.against[kind].found.p  # type: ignore[union-attr]
            for place, part in enumerate(parts)
            for row in part.rows
            if kind in row.against and row.against[kind].found is not None
        }
        known = {key: p for key, p in tests.items() if p == p}
        new = dict(zip(known, holm(list(known.values())), strict=True))
        for place, part in enumerate(found):
            rows = [
                replace(row, against={**row.against, kind: replace(row.against[kind], p_holm=new[place, row.name])})
                if (place, row.name) in new
                else row
                for row in part.rows
            ]
            found[place] = replace(part, rows=tuple(rows))
    return found


def missing_words(missing: Sequence[JobFacts]) -> list[str]:
    """Return what did not run or failed, in words, a line for all rows of which the same is to say.

    >>> jobs = [JobFacts("ADL", data="birds", seed=1), JobFacts("ADL", data="birds", seed=2, error="out of memory")]
    >>> missing_words([*jobs, JobFacts("HaS", data="birds", seed=3), JobFacts("SPG", data="birds", seed=3)])
    ['ADL on birds: seed 1 has not run; seed 2 failed (out of memory)', 'HaS; SPG on birds: seed 3 has not run']
    """
    ends: dict[tuple[str, ...], list[str]] = {}
    firsts: dict[tuple[str, ...], JobFacts] = {}
    for facts in missing:
        seed = "it" if facts.seed is None else f"seed {facts.seed}"
        end = f"failed ({' '.join(facts.error.split())})" if facts.error else "has not run"
        ends.setdefault(facts.row, []).append(f"{seed} {end}")
        firsts.setdefault(facts.row, facts)
    names: dict[tuple[str, str], list[str]] = {}
    for row, facts in firsts.items():
        more = ", ".join(word for word in (facts.backbone, option_words(facts)) if word)
        where = (f" on {facts.data}" if facts.data else "") + (f" ({more})" if more else "")
        names.setdefault((where, "; ".join(ends[row])), []).append(names_of([facts])[0])
    return [f"{'; '.join(each)}{where}: {end}" for (where, end), each in names.items()]


def warnings_of(rows: Sequence[Row]) -> list[str]:
    """Return what differs between rows, and between the seeds of one, although a fair table needs it to be the same."""
    found = []
    for row in rows:
        seeds = [
            replace(each, name=f"seed {facts.seed}") for facts, each in zip(row.jobs, row.evaluations, strict=True)
        ]
        found += seed_warnings(row.name, seeds)
    firsts = [replace(row.evaluations[0], name=row.name) for row in rows if row.evaluations]
    if len(firsts) > 1:
        metrics = [each.metric for run in firsts for each in run.results]
        found += [*training_warnings(firsts), *head_warnings(firsts), *convention_warnings(firsts, metrics)]
    return found
