"""Runs side by side: every number, whether differences are more than chance, and whether the table is a fair one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit.errors import ConfigError, nearest, printable
from wsolkit.evaluation.failures import HIT, Trial
from wsolkit.evaluation.paired import compare_hits, holm
from wsolkit.evaluation.results import Line
from wsolkit.report.benchmark.hits import paired_seeds
from wsolkit.report.compared import Pair, Row
from wsolkit.report.evaluation import Evaluation, numbers_of
from wsolkit.report.fairness import convention_warnings, head_warnings, seed_warnings, training_warnings, trial_warnings
from wsolkit.report.trials import Key, by_key

__all__ = ["Comparison", "compare_runs", "shared_trials"]

NEAR = 0.02  # of a side: maps of other sizes cut true boxes off at their own pixels


@dataclass(frozen=True)
class Comparison:
    """Several runs side by side.

    Attributes:
        runs: the runs, with the names of the tables.
        baselines: the trivial baselines of the first run that has some.
        rows: their numbers, honest before oracle.
        pairs: every run but the first against the first.
        warnings: what differs between the runs although a fair table needs it to be the same, in words.
        seeds: for each run the runs it stands for: itself, or one for each seed of a method.
    """

    runs: tuple[Evaluation, ...]
    baselines: tuple[Evaluation, ...]
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    warnings: tuple[str, ...]
    seeds: tuple[tuple[Evaluation, ...], ...] = ()

    @property
    def several(self) -> bool:
        """Whether a run stands for several seeds."""
        return any(len(each) > 1 for each in self.seeds)

    @property
    def names(self) -> list[str]:
        """Names of the runs."""
        return [run.name for run in self.runs]

    @property
    def judged(self) -> str:
        """What the trials were judged by, in words: of each run by its name, where not all say the same."""
        words = {run.name: run.trials_words for run in self.runs if run.trials}
        if len(set(words.values())) < 2:
            return next(iter(words.values()), "")
        return "; ".join(f"{name}: {said}" for name, said in words.items())

    @property
    def columns(self) -> list[str]:
        """Names of the runs, then of the baselines."""
        return [*self.names, *(each.name for each in self.baselines)]

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data for a JSON file."""
        return {
            "runs": [
                {"name": run.name, "path": path_words(run.path), "split": run.split, "images": run.images}
                | {"trials": len(run.trials), "trials_at": dict(run.trials_at)}
                | ({"seeds": [seed_dict(each) for each in seeds]} if len(seeds) > 1 else {})
                for run, seeds in zip(self.runs, self.seeds or [(run,) for run in self.runs], strict=True)
            ],
            "baselines": [each.name for each in self.baselines],
            "warnings": list(self.warnings),
            "numbers": [
                {"metric": row.metric, "name": row.name, "oracle": row.oracle}
                | {"runs": [line_dict(line) for line in row.lines[: row.runs]]}
                | {"baselines": [line_dict(line) for line in row.lines[row.runs :]]}
                for row in self.rows
            ],
            "against_first": [
                {"name": pair.name, "trials_only_first": pair.only_first, "trials_only_this": pair.only_other}
                | {"trials_with_other_truth": pair.moved}
                | ({} if pair.paired is None else {**pair.paired.as_dict(), "p_holm": pair.p_holm})
                for pair in self.pairs
            ],
        }


def compare_runs(
    runs: Sequence[Evaluation], metric: str | None = None, seeds: Sequence[Sequence[Evaluation]] | None = None
) -> Comparison:
    """Put runs side by side; every run is tested against the first.

    Args:
        runs: two or more, of different names.
        metric: name of a metric, or of one of its numbers, to show alone.
        seeds: for each run the runs that it is the mean of, see ``wsolkit.report.seed_groups``; each itself by default.

    Raises:
        ConfigError: there are fewer than two runs, two have one name, or none has that metric.
        DataError: a run has two trials of one image and class.
    """
    if len(runs) < 2:
        raise ConfigError(f"A comparison needs two runs or more, but got {len(runs)}. Name their folders.")
    names = [run.name for run in runs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"Two runs are called {twice[0]!r}. Give every run a name of its own with --names.")
    baselines = baselines_of(runs)
    rows = rows_of(runs, baselines)
    if metric is not None:
        known = [row.metric for row in rows] + [row.name for row in rows]
        rows = [row for row in rows if metric in (row.metric, row.name)]
        if not rows:
            raise ConfigError(f"No run has a metric or number {metric!r}. {nearest(metric, known)}")
    members = [tuple(each) for each in seeds] if seeds is not None else [(run,) for run in runs]
    pairs = pairs_of(runs, [by_key(run) for run in runs], members)
    warnings = [
        *(words for run, each in zip(runs, members, strict=True) for words in seed_warnings(run.name, each)),
        *training_warnings(runs),
        *head_warnings(runs),
        *convention_warnings(runs, [row.metric for row in rows]),
        *trial_warnings(runs, pairs),
    ]
    return Comparison(tuple(runs), tuple(baselines), tuple(rows), tuple(pairs), tuple(warnings), tuple(members))


def seed_dict(run: Evaluation) -> dict[str, Any]:
    """Return which run a seed of a method is, as plain data."""
    return {"name": run.name, "path": path_words(run.path), "seed": run.training.get("seed")}


def path_words(path: Path) -> str:
    """Return a path as files name it: absolute, and without bytes that are no UTF-8."""
    return printable(str(path.resolve()))


def line_dict(line: Line | None) -> dict[str, Any] | None:
    """Return a number as plain data; None where there is none."""
    if line is None:
        return None
    score = line.score
    values = {"percent": score.percent, "low": score.low, "high": score.high, "macro": score.macro}
    plain = {name: value if value is not None and np.isfinite(value) else None for name, value in values.items()}
    spread = {} if line.spread is None else dict(zip(("lowest", "highest"), line.spread, strict=True))
    return {**plain, **spread, "n": score.n, "threshold": line.threshold, "selection": line.selection}


def baselines_of(runs: Sequence[Evaluation]) -> list[Evaluation]:
    """Return the trivial baselines of the first run that has some, each as an evaluation of its own."""
    first = next((run for run in runs if run.baselines), None)
    if first is None:
        return []
    return [Evaluation(name, first.split, first.images, list(results)) for name, results in first.baselines.items()]


def rows_of(runs: Sequence[Evaluation], baselines: Sequence[Evaluation] = ()) -> list[Row]:
    """Return every number that any run has, in the order of the first run that has it, and the baselines' beside."""
    everyone = [*runs, *baselines]
    found: dict[tuple[str, str], list[list[Line | None]]] = {}
    for place, run in enumerate(everyone):
        for result in run.results:
            for number in numbers_of(result):
                if place >= len(runs) and (result.metric, number.name) not in found:
                    continue
                empty: list[list[Line | None]] = [[None] * len(everyone), [None] * len(everyone)]
                kinds = found.setdefault((result.metric, number.name), empty)
                kinds[0][place], kinds[1][place] = number.honest, number.oracle
    metrics = {metric: rank for rank, metric in enumerate(dict.fromkeys(metric for metric, _ in found))}
    return [
        Row(metric, name, oracle, tuple(lines), len(runs))
        for (metric, name), kinds in sorted(found.items(), key=lambda item: metrics[item[0][0]])
        for oracle, lines in zip((False, True), kinds, strict=True)
        if any(line is not None for line in lines[: len(runs)])
    ]


def shared_trials(runs: Sequence[Evaluation]) -> list[tuple[Trial, ...]]:
    """Return the trials that all runs have, by image and class, each as it ended in every run.

    Raises:
        DataError: a run has two trials of one image and class.
    """
    tables = [by_key(run) for run in runs]
    keys = set(tables[0]).intersection(*tables[1:])
    return [tuple(table[key] for table in tables) for key in sorted(keys)]


def pairs_of(
    runs: Sequence[Evaluation], tables: Sequence[Mapping[Key, Trial]], seeds: Sequence[Sequence[Evaluation]]
) -> list[Pair]:
    """Compare every run with the first on the trials that both have, in the mean over seeds where they have several."""
    first, found = tables[0], []
    for run, other, members in zip(runs[1:], tables[1:], seeds[1:], strict=True):
        keys = sorted(first.keys() & other.keys())
        hits = [np.array([table[key].outcome == HIT for key in keys], bool) for table in (first, other)]
        if len(seeds[0]) > 1 or len(members) > 1:
            paired = paired_seeds(seeds[0], members)
        else:
            paired = compare_hits(hits[0], hits[1], [image_id for image_id, _ in keys]) if keys else None
        moved = sum(not same_truth(first[key], other[key]) for key in keys)
        found.append(Pair(run.name, len(first) - len(keys), len(other) - len(keys), moved, paired, None))
    corrected = iter(holm([pair.paired.p for pair in found if pair.paired]))
    return [pair._replace(p_holm=next(corrected)) if pair.paired else pair for pair in found]


def same_truth(first: Trial, other: Trial) -> bool:
    """Return whether two trials have as many true boxes, at the same places to within a fiftieth of the image.

    Runs whose maps differ in size have boxes that were cut off at other pixels: one pixel of a map of 112 is .009.
    """
    return len(first.truth) == len(other.truth) and bool(
        np.allclose(first.truth, other.truth, rtol=0, atol=NEAR + 1e-9)
    )
