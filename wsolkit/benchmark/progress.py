"""How far each job of a benchmark is, what changed since it was done, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from wsolkit.benchmark.failures import Failure, read_failure
from wsolkit.benchmark.jobs import Job
from wsolkit.benchmark.stages import seconds_of
from wsolkit.errors import ConfigError
from wsolkit.pipeline.fingerprint import changes
from wsolkit.pipeline.plan import Step
from wsolkit.pipeline.records import DONE as RECORD, read_record
from wsolkit.pipeline.states import BEGUN, DONE, FOREIGN, State, states_of

__all__ = ["JobState", "check_folders", "estimate", "failure_of", "is_done", "state_of_job", "state_of_step"]


@dataclass(frozen=True)
class JobState:
    """How far a job is.

    Attributes:
        job: the job.
        kind: ``done``, ``begun``, ``to do``, or ``in the way``.
        trained: whether its training is done.
        failure: why it or its training failed when it was last tried.
        changed: what differs from the settings of an earlier result of that name, and where that is.
    """

    job: Job
    kind: str
    trained: bool
    failure: Failure | None
    changed: str


def state_of_step(step: Step) -> State:
    """Return how far a training or a test is, from its folder alone."""
    return states_of([step])[0]


def is_done(step: Step) -> bool:
    """Whether a training or a test is done."""
    return state_of_step(step).kind == DONE


def failure_of(job: Job) -> Failure | None:
    """Return why a job or its training failed, or None."""
    return next(filter(None, (read_failure(step.folder) for step in job.steps)), None)


def state_of_job(job: Job) -> JobState:
    """Return how far a job is; nothing is changed."""
    kind = state_of_step(job.scoring).kind
    trained = job.training is None or is_done(job.training)
    if kind != DONE and any(state_of_step(step).kind == BEGUN for step in job.steps):
        kind = BEGUN
    changed = "" if kind == DONE else what_changed(job)
    return JobState(job, kind, trained, None if kind == DONE else failure_of(job), changed)


def what_changed(job: Job) -> str:
    """Say how the settings of a job differ from those of an earlier result of its name; nothing where there is none."""
    folder = job.scoring.folder
    pattern = f"{job.readable}_????????"
    earlier = sorted(
        (path for path in folder.parent.glob(pattern) if path != folder and (path / RECORD).is_file()),
        key=lambda path: (path / RECORD).stat().st_mtime,
    )
    for path in reversed(earlier):
        try:
            found = read_record(path)
        except ConfigError:
            continue
        if found is not None:
            words = "; ".join(changes({**found[0], "builds_on": {}}, job.scoring.declaration))
            return f"new: {words} (the earlier result stays in {path.name})"
    return ""


def check_folders(jobs: Iterable[Job]) -> None:
    """Look for folders that no benchmark made.

    Raises:
        ConfigError: there is one where a job or a training belongs.
    """
    for job in jobs:
        for step in job.steps:
            state = state_of_step(step)
            if state.kind == FOREIGN and read_failure(step.folder) is None:
                raise ConfigError(
                    f"{state.why[0].rstrip('.')}. Nothing was touched. Move it away, or choose another --out."
                )


def estimate(jobs: Sequence[Job]) -> float | None:
    """Return how many seconds of work are left, from what was measured in this folder; None before anything was.

    A training counts as long as the mean of those on the same data set that are done, or else of all; a test alike.
    """
    trainings = {job.training.folder: (job.data, job.training) for job in jobs if job.training is not None}
    left = [job for job in jobs if not is_done(job.scoring)]
    todo = {job.shared: job.data for job in left if job.training is not None and not is_done(job.training)}
    trained = [(data, seconds_of(step.folder)) for data, step in trainings.values() if is_done(step)]
    states = [(job.data, state_of_step(job.scoring)) for job in jobs]
    tested = [(data, state.record["seconds"]) for data, state in states if state.kind == DONE]
    parts = [typical(data, trained) for data in todo.values()] + [typical(job.data, tested) for job in left]
    return None if None in parts else sum(part for part in parts if part is not None)


def typical(data: str, measured: Sequence[tuple[str, float]]) -> float | None:
    """Return the mean of what was measured on a data set, or of everything; None where nothing was.

    >>> typical("voc", [("cub", 4.0), ("voc", 2.0)]), typical("coco", [("cub", 4.0), ("voc", 2.0)]), typical("x", [])
    (2.0, 3.0, None)
    """
    same = [seconds for name, seconds in measured if name == data]
    chosen = same or [seconds for _, seconds in measured]
    return mean(chosen) if chosen else None
