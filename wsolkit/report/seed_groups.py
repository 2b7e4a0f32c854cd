"""Runs that differ in nothing but their seed, put together as one method."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from wsolkit.errors import DataError
from wsolkit.evaluation.over_seeds import mean_of_scores
from wsolkit.evaluation.results import Curve, Line, Result
from wsolkit.evaluation.scores import Score
from wsolkit.report.benchmark.columns import Column, over_seeds
from wsolkit.report.benchmark.curves import band_of
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.job_facts import FACTS, JobFacts, read_facts, with_known_settings

__all__ = ["Group", "group_runs", "merged"]

OVER_SEEDS = "Student's t over images and seeds"
APART = ("checkpoint",)
"""Settings of an evaluation that say which seed it is of; so does the name of a configuration whose hash is known."""


@dataclass(frozen=True)
class Group:
    """A method: its name, and its runs, one for each seed."""

    name: str
    runs: tuple[Evaluation, ...]


def group_runs(runs: Sequence[Evaluation]) -> list[Group]:
    """Put runs together that differ in nothing but their seed, in the order of their first ones.

    Jobs of a benchmark say what they are themselves; other runs are of one configuration where their checkpoints say
    so (those of earlier versions do not) and were scored with the same settings and the same configuration of the
    test. Runs of one seed are no group.

    >>> [(group.name, len(group.runs)) for group in group_runs([Evaluation("A"), Evaluation("B")])]
    [('A', 1), ('B', 1)]
    """
    found: dict[Any, list[tuple[Any, str, Evaluation]]] = {}
    jobs = jobs_among(runs)
    for place, run in enumerate(runs):
        key, seed, name = identity(run, jobs) or (place, None, run.name)
        found.setdefault(key, []).append((seed, name, run))
    groups = []
    for members in found.values():
        seeds = [seed for seed, _, _ in members]
        if len(set(seeds)) == len(seeds):
            groups.append(Group(members[0][1], tuple(run for _, _, run in members)))
        else:
            groups += [Group(name, (run,)) for _, name, run in members]
    names = [group.name for group in groups]
    return [
        group
        if names.count(group.name) == 1 or group.runs[0].name == group.name
        else replace(group, name=f"{group.name} ({group.runs[0].name})")
        for group in groups
    ]


def jobs_among(runs: Sequence[Evaluation]) -> dict[Path, JobFacts | None]:
    """Return what runs that are jobs of a benchmark say of themselves, by the paths of their files; None if damaged."""
    found: dict[Path, JobFacts | None] = {}
    for path in dict.fromkeys(run.path.parent / FACTS for run in runs):
        if path.is_file():
            try:
                found[path] = read_facts(path)
            except DataError:
                found[path] = None
    read = {path: facts for path, facts in found.items() if facts is not None}
    return found | dict(zip(read, with_known_settings(list(read.values())), strict=True))


def identity(run: Evaluation, jobs: Mapping[Path, JobFacts | None]) -> tuple[Any, Any, str] | None:
    """Return what is the same in all seeds of a run's method, the seed, and the method's name; None if not known."""
    path = run.path.parent / FACTS
    if path in jobs:
        facts = jobs[path]
        return None if facts is None else (facts.row, facts.seed, facts.method)
    name, digest = (run.training.get(key) for key in ("configuration", "configuration_hash"))
    if not isinstance(name, str) or not name or not digest:
        return None
    apart = (*APART, "config") if run.scoring_hash else APART
    asked = {key: value for key, value in run.settings.items() if key not in apart}
    scored = (run.scoring_hash, run.split, run.extractor, run.number_format)
    key = (name, digest, *scored, json.dumps(asked, sort_keys=True, default=str))
    made = run.checkpoint is not None and Path(run.checkpoint).parent.name == run.name
    return key, run.training.get("seed"), name if made else run.name


def merged(group: Group) -> Evaluation:
    """Return a method's runs as one: means over its seeds, and the first seed's trials."""
    first = replace(group.runs[0], name=group.name)
    if len(group.runs) == 1:
        return first
    results = [merged_result(place, group.runs) for place in range(len(first.results))]
    training = {name: value for name, value in first.training.items() if name != "seed"}
    return replace(first, results=[each for each in results if each is not None], training=training)


def merged_result(place: int, runs: Sequence[Evaluation]) -> Result | None:
    """Return the mean of a result over seeds; None where a seed lacks it."""
    first = runs[0].results[place]
    others = [next((each for each in run.results if each.metric == first.metric), None) for run in runs]
    results = [each for each in others if each is not None]
    if len(results) < len(runs):
        return None
    lines = [merged_line(line, results, runs, first.metric) for line in first.lines]
    same = {key: value for key, value in first.conventions.items()
            if all(each.conventions.get(key) == value for each in results)}  # fmt: skip
    curves = {}
    for title, curve in first.curves.items():
        all_of_them = [each.curves[title] for each in results if title in each.curves]
        if "threshold" in curve.x_label and len(all_of_them) == len(results) and len(curve.x) > 1:
            band = band_of(all_of_them)
            curves[title] = Curve(band.x, band.mean, band.x_label, band.y_label)
    return Result(first.metric, tuple(line for line in lines if line is not None), same, curves)


def merged_line(line: Line, results: Sequence[Result], runs: Sequence[Evaluation], metric: str) -> Line | None:
    """Return the mean of a number over seeds, with its interval and its spread; None where a seed lacks it."""
    found = [
        next((each for each in result.lines if (each.name, each.selection) == (line.name, line.selection)), None)
        for result in results
    ]
    lines = [each for each in found if each is not None]
    if len(lines) < len(results):
        return None
    over = mean_of_scores([each.score for each in lines])
    exact = over_seeds(runs, Column(metric, line.name, line.name))
    if exact is not None and exact.by_seed == over.by_seed:
        over = exact
    macros = [each.score.macro for each in lines if each.score.macro is not None]
    macro = float(np.mean(macros)) if len(macros) == len(lines) else None
    thresholds = {each.threshold for each in lines}
    return Line(
        line.name,
        Score(over.mean, line.score.n, over.low, over.high, macro, OVER_SEEDS),
        thresholds.pop() if len(thresholds) == 1 else None,
        line.selection,
        (over.lowest, over.highest),
    )
