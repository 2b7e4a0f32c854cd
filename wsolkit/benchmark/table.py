"""The table of a benchmark, of the jobs that its file asks for, whatever else lies in the folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wsolkit.benchmark.jobs import Job
from wsolkit.benchmark.progress import failure_of, is_done
from wsolkit.report import BenchmarkTable, Evaluation, JobFacts, read_evaluation, table_of
from wsolkit.report.job_facts import FACTS, read_facts

__all__ = ["benchmark_table"]


def benchmark_table(jobs: Sequence[Job], baseline: str) -> BenchmarkTable:
    """Return the table of jobs; those that are not done are named in it, with why where they failed.

    Args:
        jobs: the jobs.
        baseline: the method that others are compared with.

    Raises:
        DataError: a file of a job is damaged.
    """
    done: list[tuple[JobFacts, Evaluation]] = []
    missing: list[JobFacts] = []
    for job in jobs:
        if is_done(job.scoring):
            folder = job.scoring.folder
            done.append((read_facts(folder / FACTS, job.scoring.facts), read_evaluation(folder)))
            continue
        failure = failure_of(job)
        facts = JobFacts.from_dict(dict(job.scoring.facts), job.title)
        missing.append(replace(facts, error="" if failure is None else failure.words, folder=job.scoring.folder))
    return table_of(done, baseline, missing)
