"""A search of hyper-parameters: as many trials of every method, of which the validation split chooses one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wsolkit.benchmark.benchmark_file import Benchmark, Search
from wsolkit.benchmark.jobs import Job, Place, Setting
from wsolkit.benchmark.progress import failure_of, is_done
from wsolkit.benchmark.trials import trials_of, value_of
from wsolkit.errors import ConfigError

__all__ = ["chosen_options", "run_trials", "trial_records", "undrawn"]


def run_trials(
    benchmark: Benchmark,
    setting: Setting,
    trials: Sequence[Job],
    since: float,
    run: Callable[[Sequence[Job]], object],
) -> list[Job]:
    """Run trials and those that are drawn from them, until all are there; returns all of them.

    Args:
        benchmark: what was read.
        setting: where they belong.
        trials: those that are known at the beginning.
        since: when the run began, in seconds since 1970.
        run: runs those that are new.
    """
    known: list[Job] = []
    found = list(trials)
    while len(found) > len(known):
        before = {(job.place, job.trial) for job in known}
        run([job for job in found if (job.place, job.trial) not in before])
        known, found = found, trials_of(benchmark, setting, found, since)
    return found


def undrawn(benchmark: Benchmark, trials: Sequence[Job]) -> int:
    """Return how many trials are still to be drawn."""
    return benchmark.search.trials * len({job.place for job in trials}) - len(trials)


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


def trial_records(trials: Sequence[Job], search: Search) -> list[dict[str, Any]]:
    """Return what became of every trial, as plain data for the table's JSON file."""
    metric = search.metric
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
                "sampler": search.drawn_by(job.trial or 0),
                "metric": f"{metric} on val",
                "value": value_of(job, metric),
                "error": "" if failure is None else failure.words,
                "folder": job.scoring.folder.name,
            }
        )
    return records
