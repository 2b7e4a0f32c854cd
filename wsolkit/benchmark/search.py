"""A search of hyper-parameters: as many random settings of every method, of which the validation split chooses one.

What wsolevaluation does (Choe et al. 2020, section 4.3). The same option has the same draws in every method, so that
methods that share it are tried at the same settings, and trainings that are the same run once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsolkit.benchmark.benchmark_file import Benchmark, Method
from wsolkit.benchmark.jobs import Job, Place, Setting, job_of, places_of, share_trainings
from wsolkit.benchmark.progress import failure_of, is_done
from wsolkit.errors import ConfigError, naming, nearest
from wsolkit.plugins.loading import load_methods
from wsolkit.plugins.search_ranges import SearchRange, options_in, share_of
from wsolkit.report import Evaluation, read_evaluation
from wsolkit.report.evaluation import numbers_of

__all__ = ["chosen_options", "trial_records", "trials_of", "value_of"]


def trials_of(benchmark: Benchmark, setting: Setting) -> list[Job]:
    """Return the trials of all methods that have something to search; the first trial of all comes first.

    Args:
        benchmark: what was read.
        setting: where they belong.

    Raises:
        ConfigError: a range is of an option that a configuration does not have; names the method.
    """
    search = benchmark.search
    found: dict[tuple[int, int], Job] = {}
    for number, asked in enumerate(places_of(benchmark)):
        with naming(", ".join(filter(None, (each.name for each in asked))), "Method"):
            if asked[0].result is not None:
                continue
            plain = job_of(benchmark, asked, search.seed, setting, {})
            ranges = ranges_for(asked[0], search.ranges if plain.training is not None else {})
            for trial in range(search.trials if ranges else 0):
                drawn = {
                    option: each.value(share_of(search.seed, trial, name))
                    for name, each in ranges.items()
                    for option in options_in(name)
                }
                found[trial, number] = job_of(benchmark, asked, search.seed, setting, drawn, trial)
    return share_trainings([found[key] for key in sorted(found)])


def ranges_for(method: Method, default: Mapping[str, SearchRange]) -> Mapping[str, SearchRange]:
    """Return what a method is searched in: as the file says, as its card says, or as everybody."""
    if method.search is not None:
        return method.search
    cards = (card for card, _ in load_methods() if card.is_called(method.card))
    return next((card.search for card in cards if card.search), default)


def chosen_options(trials: Sequence[Job], metric: str) -> dict[Place, Mapping[str, Any]]:
    """Return the options of the trial that is best on the validation split, of each method, backbone and data set.

    Args:
        trials: the trials, all of them done or failed.
        metric: the number that chooses, at the threshold that is best on the validation split.

    Raises:
        ConfigError: all trials of a method failed, or there is no such number.
    """
    best: dict[Place, tuple[float, Job]] = {}
    for job in trials:
        value = value_of(job, metric)
        if value is not None and (job.place not in best or value > best[job.place][0]):
            best[job.place] = value, job
    for job in trials:
        if job.place not in best:
            failure = failure_of(job)
            why = "it is not done yet" if failure is None else failure.words
            raise ConfigError(
                f"No trial of {', '.join(filter(None, job.place))} has come to its end ({job.title}: {why}). Give it "
                "other ranges, or run the trials of other shares first."
            )
    return {place: job.scoring.facts["options"] for place, (_, job) in best.items()}


def value_of(job: Job, metric: str) -> float | None:
    """Return the number of a trial that chooses; None where it is not done.

    Raises:
        ConfigError: there is no such number.
    """
    return number_in(read_evaluation(job.scoring.folder), metric) if is_done(job.scoring) else None


def number_in(evaluation: Evaluation, name: str) -> float:
    """Return a number at the threshold that is best on the scored split itself, or without any.

    Raises:
        ConfigError: there is no such number.
    """
    numbers = {each.name: each for result in evaluation.results for each in numbers_of(result)}
    if name not in numbers:
        raise ConfigError(f"search.metric is {name!r}, but val has no such number. {nearest(name, numbers)}")
    line = numbers[name].oracle or numbers[name].honest
    assert line is not None
    return line.score.percent


def trial_records(trials: Sequence[Job], metric: str) -> list[dict[str, Any]]:
    """Return what became of every trial, as plain data for the table's JSON file."""
    records = []
    for job in trials:
        failure = None if is_done(job.scoring) else failure_of(job)
        records.append(
            {
                "method": job.method,
                "backbone": job.backbone,
                "data": job.data,
                "trial": job.trial,
                "seed": job.seed,
                "options": dict(job.scoring.facts["options"]),
                "metric": f"{metric} on val",
                "value": value_of(job, metric),
                "error": "" if failure is None else failure.words,
                "folder": job.scoring.folder.name,
            }
        )
    return records
