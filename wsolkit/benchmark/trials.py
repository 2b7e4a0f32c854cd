"""The trials of a search: random ones, and those that Optuna draws from what became of the ones before.

Random settings are what wsolevaluation does (Choe et al. 2020, section 4.3). The same option has the same draws in
every method, so that methods that share it are tried at the same settings, and trainings that are the same run once.
Optuna draws each trial after the first ten from those before, for each method, backbone and data set alone. Nothing is
known but the trials' folders: whoever finds the same ones there draws the same next trial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsolkit.benchmark.benchmark_file import Benchmark, Entry, Method
from wsolkit.benchmark.jobs import (
    Job,
    Place,
    Setting,
    job_of,
    places_of,
    readable_name,
    share_trainings,
    trial_name,
)
from wsolkit.benchmark.optuna_draws import import_optuna, next_values
from wsolkit.benchmark.progress import failure_of, is_done
from wsolkit.benchmark.steps import TRIALS
from wsolkit.errors import ConfigError, DataError, naming, nearest
from wsolkit.plugins.loading import load_methods
from wsolkit.plugins.search_ranges import SearchRange, options_in, share_of
from wsolkit.report import Evaluation, read_evaluation
from wsolkit.report.evaluation import numbers_of
from wsolkit.report.job_facts import FACTS, read_facts

__all__ = ["trials_of", "value_of"]

Asked = tuple[Method, Entry, Entry]


def trials_of(benchmark: Benchmark, setting: Setting, known: Sequence[Job] = (), since: float = 0.0) -> list[Job]:
    """Return the trials of all methods that have something to search; the first trial of all comes first.

    Those that are drawn at random are there from the beginning; each of Optuna's once those before it have ended.

    Args:
        benchmark: what was read.
        setting: where they belong.
        known: those that were found before, which stay as they are.
        since: when the run began, in seconds since 1970: a trial that failed before has not ended, but is tried again.

    Raises:
        ConfigError: a range is of an option that a configuration does not have; names the method. Optuna is asked for
            and not installed.
    """
    search = benchmark.search
    if search.sampler == "optuna":
        import_optuna()
    before = {(job.place, job.trial): job for job in known}
    found: dict[tuple[int, int], Job] = {}
    for number, asked in enumerate(places_of(benchmark)):
        place = place_of(asked)
        with naming(", ".join(filter(None, place)), "Method"):
            if asked[0].result is not None:
                continue
            plain = job_of(benchmark, asked, search.seed, setting, {})
            ranges = ranges_for(asked[0], search.ranges if plain.training is not None else {})
            earlier: list[Job] = []
            for trial in range(search.trials if ranges else 0):
                job = before.get((place, trial)) or trial_of(benchmark, setting, asked, ranges, earlier, since)
                if job is None:
                    break
                found[trial, number] = job
                earlier.append(job)
    return share_trainings([found[key] for key in sorted(found)])


def trial_of(
    benchmark: Benchmark,
    setting: Setting,
    asked: Asked,
    ranges: Mapping[str, SearchRange],
    earlier: Sequence[Job],
    since: float,
) -> Job | None:
    """Return the trial after the earlier ones; None where it depends on one that has not ended.

    Args:
        benchmark: what was read.
        setting: where it belongs.
        asked: method, backbone and data set.
        ranges: what is searched.
        earlier: all trials before.
        since: as of ``trials_of``.
    """
    search, trial = benchmark.search, len(earlier)
    if search.drawn_by(trial) == "random":
        values = {name: each.value(share_of(search.seed, trial, name)) for name, each in ranges.items()}
    else:
        kept = kept_trial(benchmark, setting, asked, ranges, trial)
        if kept is not None or not all(has_ended(job, since) for job in earlier):
            return kept
        history = [(values_of(job, ranges), value_of(job, search.metric)) for job in earlier]
        values = next_values(ranges, history, search.seed)
    drawn = {option: value for name, value in values.items() for option in options_in(name)}
    return job_of(benchmark, asked, search.seed, setting, drawn, trial)


def kept_trial(
    benchmark: Benchmark, setting: Setting, asked: Asked, ranges: Mapping[str, SearchRange], trial: int
) -> Job | None:
    """Return a trial that is done and differs from what is asked for in nothing but what was drawn, or None.

    It stays the trial of its number, whatever would be drawn now: one before it may have failed then and not since.
    """
    search = benchmark.search
    names = {option for name in ranges for option in options_in(name)}
    readable = readable_name(place_of(asked), search.seed, trial_name(benchmark, trial))
    for path in sorted((setting.out / TRIALS).glob(f"{readable}_????????/{FACTS}")):
        try:
            drawn = read_facts(path).options
        except DataError:
            continue
        inside = set(drawn) == names and all(
            each.holds(drawn[option]) for name, each in ranges.items() for option in options_in(name)
        )
        if inside:
            job = job_of(benchmark, asked, search.seed, setting, drawn, trial)
            if job.scoring.folder == path.parent and is_done(job.scoring):
                return job
    return None


def has_ended(job: Job, since: float) -> bool:
    """Whether a trial is done, or has failed in this run."""
    if is_done(job.scoring):
        return True
    failure = failure_of(job)
    return failure is not None and failure.at >= since


def values_of(job: Job, ranges: Mapping[str, SearchRange]) -> dict[str, Any]:
    """Return what was drawn for a trial, by the names of the ranges."""
    return {name: job.scoring.facts["options"][options_in(name)[0]] for name in ranges}


def place_of(asked: Asked) -> Place:
    """Return the names of method, backbone and data set."""
    method, backbone, data = asked
    return method.name, backbone.name, data.name


def ranges_for(method: Method, default: Mapping[str, SearchRange]) -> Mapping[str, SearchRange]:
    """Return what a method is searched in: as the file says, as its card says, or as everybody."""
    if method.search is not None:
        return method.search
    cards = (card for card, _ in load_methods() if card.is_called(method.card))
    return next((card.search for card in cards if card.search), default)


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
