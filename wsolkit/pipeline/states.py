"""How far each stage of a pipeline is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wsolkit.errors import ConfigError
from wsolkit.folders import is_untouched
from wsolkit.pipeline.fingerprint import changes
from wsolkit.pipeline.plan import Step
from wsolkit.pipeline.records import RECORDS, holds_no_result, read_record

__all__ = ["BEGUN", "DONE", "FOREIGN", "STALE", "TO_DO", "State", "check_states", "states_of"]

DONE = "done"
STALE = "stale"
BEGUN = "begun"
TO_DO = "to do"
FOREIGN = "in the way"


@dataclass(frozen=True)
class State:
    """How far a stage is.

    Attributes:
        step: the stage.
        kind: ``done``; ``begun`` where it was cut off; ``stale`` where its folder holds a result of other settings;
            ``to do``; ``in the way`` where no pipeline made the folder.
        why: what has changed since a stale result, or what is in the way.
        record: what the folder says about itself; empty where there is nothing.
    """

    step: Step
    kind: str
    why: Sequence[str] = ()
    record: Mapping[str, Any] = field(default_factory=dict)


def states_of(steps: Sequence[Step]) -> list[State]:
    """Return the state of each stage; nothing is changed.

    A stage is stale, too, where one that it builds on is not done, or was done again since.
    """
    found: dict[str, State] = {}
    for step in steps:
        found[step.name] = state_of(step, found)
    return list(found.values())


def state_of(step: Step, earlier: Mapping[str, State]) -> State:
    """Return the state of a stage, from those of the earlier ones."""
    folder = step.folder
    if is_untouched(folder, *RECORDS):
        return State(step, TO_DO)
    if not folder.is_dir():
        return State(step, FOREIGN, [f"{folder} is a file"])
    try:
        found = read_record(folder)
    except ConfigError as error:
        return State(step, FOREIGN, [str(error)])
    if found is None:
        return State(step, FOREIGN, [f"{folder} holds files, but no pipeline made it"])
    record, done = found
    why = [] if record["fingerprint"] == step.declaration.fingerprint else changes(record, step.declaration)
    for name in step.builds_on if not why else ():
        other = earlier[name]
        if other.kind != DONE:
            why.append(f"stage {name!r}, which it builds on, is not done")
        elif record.get("runs", {}).get(name) != other.record.get("run"):
            why.append(f"stage {name!r}, which it builds on, was done again since")
    if why and not done and holds_no_result(folder):
        return State(step, TO_DO)  # a stage that failed at once does not stand in the way of its correction
    if why:
        return State(step, STALE, why, record)
    return State(step, DONE if done else BEGUN, (), record)


def check_states(states: Sequence[State], overwrite: bool) -> None:
    """Refuse what a run would lose.

    Raises:
        ConfigError: a folder was made by no pipeline, or holds results of other settings and ``overwrite`` is not set.
    """
    for state in states:
        if state.kind == FOREIGN:
            raise ConfigError(
                f"stage {state.step.name!r}: {state.why[0].rstrip('.')}. Nothing was touched. Move it away, rename the "
                "stage, or choose another --work-dir."
            )
    stale = [state for state in states if state.kind == STALE]
    if not stale or overwrite:
        return
    first, others = stale[0], [repr(state.step.name) for state in stale[1:]]
    more = f" Stale as well: {', '.join(others)}." if others else ""
    raise ConfigError(
        f"stage {first.step.name!r}: {first.step.folder} holds a result of other settings: {'; '.join(first.why)}."
        f"{more} Choose another --work-dir to keep it, or add --overwrite to do stale stages again, with those that "
        "build on them."
    )
