"""The table of a benchmark, of the jobs that its file asks for, whatever else lies in the folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from wsolkit.benchmark.jobs import Job
from wsolkit.benchmark.progress import failure_of, is_done
from wsolkit.benchmark.stages import JOB
from wsolkit.report import BenchmarkTable, Evaluation, JobFacts, read_evaluation, table_of

__all__ = ["benchmark_table"]


def benchmark_table(jobs: Sequence[Job], baseline: str) -> BenchmarkTable:
    """Return the table of jobs; those that are not done are named in it, with why where they failed.

    Args:
        jobs: the jobs.
        baseline: the method that others are compared with.

    Raises:
        DataError: the results of a job are damaged.
    """
    done: list[tuple[JobFacts, Evaluation]] = []
    missing: list[JobFacts] = []
    for job in jobs:
        if is_done(job.scoring):
            done.append(read_job(job))
            continue
        failure = failure_of(job)
        facts = JobFacts.from_dict(dict(job.scoring.facts), job.title)
        missing.append(replace(facts, error="" if failure is None else failure.words))
    return table_of(done, baseline, missing)


def read_job(job: Job) -> tuple[JobFacts, Evaluation]:
    """Return the facts and the results of a job that is done."""
    folder = job.scoring.folder
    path = folder / JOB
    facts = JobFacts.from_dict(json.loads(path.read_text(encoding="utf-8")), path)
    return replace(facts, folder=folder), read_evaluation(folder)
