"""Runs the stages of a pipeline in order, each in its own folder, from where an earlier run stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError
from wsolkit.lock import locked
from wsolkit.pipeline.isolation import isolated
from wsolkit.pipeline.placeholders import files_of
from wsolkit.pipeline.plan import Pipeline, Step, check_file, told_by
from wsolkit.pipeline.records import begin, check_links, finish, remove_leftovers, set_aside
from wsolkit.pipeline.states import BEGUN, DONE, STALE, State, check_states, states_of

__all__ = ["Outcome", "run_pipeline", "run_stage"]

SKIPPED = "done before"


@dataclass(frozen=True)
class Outcome:
    """What became of a stage.

    Attributes:
        name: its name.
        kind: name of its class.
        state: ``done``, or ``done before`` where it was skipped.
        seconds: how long it took, since it was last taken up.
        numbers: what it returned; None for a number that was not finite.
        folder: where its results are.
    """

    name: str
    kind: str
    state: str
    seconds: float
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    folder: Path = Path()


def run_pipeline(
    pipeline: Pipeline,
    until: str | None = None,
    overwrite: bool = False,
    tell: Callable[[str], None] = print,
) -> list[Outcome]:
    """Run the stages that are not done, in order.

    A stage that was cut off goes on in its folder. When a stage fails, those before it stay done, and the same call
    goes on from there.

    Args:
        pipeline: what ``load_pipeline`` returned.
        until: name of the last stage to run; all by default.
        overwrite: do stale stages again, and those that build on them; the folder of each is removed when its turn
            comes.
        tell: given a line at the begin of each stage.

    Returns:
        What became of each stage.

    Raises:
        ConfigError: results of other settings are in the way, or another pipeline works in the folder.
        WsolkitError: a stage failed; its name stands in front.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("A pipeline runs in one process, but torchrun started several. Start it without torchrun.")
    steps = pipeline.upto(until)
    with locked(pipeline.work_dir):
        for step in steps:
            remove_leftovers(step.folder)
        states = states_of(steps)
        check_states(states, overwrite)
        outcomes: dict[str, Outcome] = {}
        runs: dict[str, str] = {}
        for number, state in enumerate(states, start=1):
            title = f"[{number}/{len(states)}] {state.step.name} ({state.step.cls.__name__})"
            if state.kind == DONE:
                tell(f"{title}: done before, skipped.")
                record = state.record
            else:
                check_wanted_files(state.step, [each.step for each in states[number:]])
                tell(f"{title}: goes on where it was stopped." if state.kind == BEGUN else f"{title} ...")
                record = run_stage(state, runs)
            runs[state.step.name] = record["run"]
            outcomes[state.step.name] = outcome(state.step, record, SKIPPED if state.kind == DONE else DONE)
    return list(outcomes.values())


def check_wanted_files(step: Step, later: Sequence[Step]) -> None:
    """Ask a stage that is about to run for the files that later ones name.

    Raises:
        ConfigError: it will not leave one of them; names the stage that wants it.
    """
    for other in later:
        with told_by(other.name):
            for name, file in files_of(other.arguments):
                if name == step.name:
                    check_file(step, file, step.build(), data=True)


def run_stage(state: State, runs: Mapping[str, str]) -> Mapping[str, Any]:
    """Run one stage and return its record.

    Args:
        state: how far it is.
        runs: by name, the runs of the earlier stages.
    """
    step = state.step
    with told_by(step.name, *step.what):
        if state.kind == STALE:
            set_aside(step.folder)
        resume = state.kind == BEGUN
        record = state.record
        if resume:
            check_links(step.folder)
        else:
            record = begin(step.folder, step.declaration, {name: runs[name] for name in step.builds_on})
        started = time.perf_counter()
        with isolated():
            numbers = step.build().run(step.folder, resume)
        return finish(step.folder, record, numbers, time.perf_counter() - started)


def outcome(step: Step, record: Mapping[str, Any], state: str) -> Outcome:
    """Return what became of a stage."""
    return Outcome(step.name, step.cls.__name__, state, record["seconds"], record["numbers"], step.folder)
