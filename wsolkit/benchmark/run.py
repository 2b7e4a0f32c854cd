"""Runs the jobs of a benchmark that are not done, one after the other; several processes may share its folder."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from wsolkit.benchmark.failures import Failure, forget_failure, keep_failure, read_failure
from wsolkit.benchmark.jobs import Job
from wsolkit.benchmark.progress import check_folders, estimate, is_done, state_of_step
from wsolkit.lock import TakenError, locked
from wsolkit.pipeline.plan import Step
from wsolkit.pipeline.records import remove_leftovers
from wsolkit.pipeline.run import run_stage
from wsolkit.pipeline.states import BEGUN
from wsolkit.progress import duration

__all__ = ["Outcome", "own_share", "run_jobs"]

WAITS = (0.2, 5.0)
"""Seconds between two looks at what other processes are doing: at first, and at most."""

Tell = Callable[[str], None]
Look = Callable[[Job], object]


@dataclass
class Outcome:
    """What became of the jobs.

    Attributes:
        done: those that are done, by this process or another, now or before.
        failed: those that failed, with why.
    """

    done: list[Job] = field(default_factory=list)
    failed: list[tuple[Job, Failure]] = field(default_factory=list)


def own_share(jobs: Sequence[Job], part: tuple[int, int] | None) -> list[Job]:
    """Return the jobs of one of several processes that share them out; those of one training stay together.

    Args:
        jobs: all jobs.
        part: (number from 0, how many); all jobs for None.
    """
    if part is None:
        return list(jobs)
    folders = list(dict.fromkeys(job.shared for job in jobs))
    mine = set(folders[part[0] :: part[1]])
    return [job for job in jobs if job.shared in mine]


def run_jobs(
    jobs: Sequence[Job],
    tell: Tell = print,
    others: Callable[[], None] | None = None,
    since: float | None = None,
    look: Look | None = None,
) -> Outcome:
    """Run the jobs that are not done, and wait for those that other processes are at.

    What failed in an earlier run is tried again; what fails in this one, here or in another process, is not.

    Args:
        jobs: the jobs.
        tell: given a line for every step.
        others: lets other processes work on the jobs before; what they leave undone is done here.
        since: when this run began, in seconds since 1970; now by default.
        look: given each job as soon as it is done; what it raises ends the run.

    Raises:
        ConfigError: something else is in the folder of a job.
    """
    check_folders(jobs)
    run = Run(jobs, tell, time.time() if since is None else since, look)
    if others is not None:
        others()
    waiting, pause = list(jobs), 0.0
    while waiting:
        taken = [job for job in waiting if not run.attempt(job)]
        if len(taken) < len(waiting):
            pause = 0.0
        elif pause == 0.0:
            tell(f"Other processes are at the last {counted(len(taken))}; waiting for them.")
            pause = WAITS[0]
        else:
            pause = min(2 * pause, WAITS[1])
        time.sleep(pause)
        waiting = taken
    return run.outcome


class Run:
    """One process's work on a benchmark.

    Args:
        jobs: its jobs.
        tell: given a line for every step.
        since: when the run began: what failed before is tried again.
        look: given each job as soon as it is done.
    """

    def __init__(self, jobs: Sequence[Job], tell: Tell, since: float, look: Look | None = None) -> None:
        self.jobs = jobs
        self.tell = tell
        self.since = since
        self.look = look
        self.outcome = Outcome()

    def attempt(self, job: Job) -> bool:
        """Bring a job to its end; returns False where another process is at it."""
        number = f"[{self.jobs.index(job) + 1}/{len(self.jobs)}]"
        if is_done(job.scoring):
            self.finish(job)
            return True
        try:
            failure = None
            for step in job.steps:
                doing = "training" if step is job.training else "testing"
                failure = failure or self.step(step, f"{number} {job.title}: {doing}")
        except TakenError:
            return False
        if failure is not None:
            self.tell(f"{number} {job.title} failed: {failure.words}")
            self.outcome.failed.append((job, failure))
            return True
        self.tell(f"{number} {job.title}: {numbers_of(job)}{self.left()}")
        self.finish(job)
        return True

    def finish(self, job: Job) -> None:
        """Note that a job is done."""
        self.outcome.done.append(job)
        if self.look is not None:
            self.look(job)

    def step(self, step: Step, title: str) -> Failure | None:
        """Bring a training or a test to its end; returns why it failed, or None.

        Raises:
            TakenError: another process is at it.
        """
        if is_done(step):
            return None
        with locked(step.folder, "benchmark", "--out"):
            remove_leftovers(step.folder)
            failure = read_failure(step.folder)
            if failure is not None and failure.at >= self.since:
                return failure
            state = state_of_step(step)
            if is_done(step):
                return None
            self.tell(f"{title} goes on where it was stopped" if state.kind == BEGUN else f"{title} ...")
            try:
                run_stage(state, {})
            except TakenError:  # kept features that another process is computing
                raise
            except Exception as error:
                return keep_failure(step.folder, error)
            finally:
                gc.collect()  # a training's parts refer to each other
            forget_failure(step.folder)
        return None

    def left(self) -> str:
        """Say how long the rest may take, where there is one and something is known."""
        rest = estimate(self.jobs)
        count = sum(not is_done(job.scoring) for job in self.jobs)
        if not count:
            return ""
        return f"; {counted(count)} left" + ("" if rest is None else f", about {duration(rest)} of work")


def counted(count: int) -> str:
    """Return how many jobs there are in words.

    >>> counted(1), counted(2)
    ('1 job', '2 jobs')
    """
    return f"{count} job{'s' * (count != 1)}"


def numbers_of(job: Job) -> str:
    """Return the first numbers of a job in words."""
    numbers = state_of_step(job.scoring).record.get("numbers") or {}
    return ", ".join(f"{name} {value:.1f}" for name, value in list(numbers.items())[:3] if value is not None) or "done"
