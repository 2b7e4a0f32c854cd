"""The stages of a pipeline, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from wsolkit.errors import ConfigError, WsolkitError, nearest
from wsolkit.interfaces import Stage
from wsolkit.pipeline.fingerprint import Declaration, declare
from wsolkit.pipeline.pipeline_config import read_pipeline
from wsolkit.pipeline.placeholders import NAME, files_of, fill, placeholders
from wsolkit.pipeline.records import RECORDS
from wsolkit.registry import STAGES, check_arguments

__all__ = ["Pipeline", "Step", "check_file", "load_pipeline", "plan_pipeline", "told_by"]


@dataclass(frozen=True)
class Step:
    """One stage of a pipeline.

    Attributes:
        name: its name, and that of its folder.
        cls: its class.
        arguments: as they are written, with ``{name}`` for folders.
        folder: its folder, absolute.
        builds_on: names of the earlier stages that its arguments refer to.
        declaration: everything that decides its result, and the fingerprint of that.
    """

    what: ClassVar[tuple[str, str]] = ("stage", "pipeline")

    name: str
    cls: type[Stage]
    arguments: Mapping[str, Any]
    folder: Path
    builds_on: Sequence[str]
    declaration: Declaration

    def build(self) -> Stage:
        """Return the stage, with paths where its arguments name folders."""
        return built(self.cls, fill(self.arguments, {name: self.folder.parent / name for name in self.builds_on}))


@dataclass(frozen=True)
class Pipeline:
    """The stages of a pipeline, in order.

    Attributes:
        name: name of the configuration.
        work_dir: folder of the stages' folders, absolute.
        steps: the stages.
    """

    name: str
    work_dir: Path
    steps: Sequence[Step]

    def upto(self, last: str | None) -> Sequence[Step]:
        """Return the stages up to the one of that name; all of them for None.

        Raises:
            ConfigError: there is no such stage.
        """
        names = [step.name for step in self.steps]
        if last is None:
            return self.steps
        if last not in names:
            raise ConfigError(f"The pipeline {self.name!r} has no stage {last!r}. {nearest(last, names)}")
        return self.steps[: names.index(last) + 1]


def load_pipeline(
    name_or_path: str | Path, options: Mapping[str, Any] | None = None, work_dir: str | Path | None = None
) -> Pipeline:
    """Load a pipeline and check it completely: names, arguments, what stages refer to, and their configurations.

    Args:
        name_or_path: a file, or the name of a shipped configuration.
        options: entries to change, see ``wsolkit.pipeline.pipeline_config``.
        work_dir: folder of the stages' folders; by default the configuration's, or ``work_dirs/NAME``.

    Raises:
        ConfigError: something in it is wrong; names the stage.
    """
    content = read_pipeline(name_or_path, options)
    name = Path(name_or_path).stem if Path(name_or_path).suffix == ".py" else Path(name_or_path).name
    return plan_pipeline(name, content["stages"], work_dir or content.get("work_dir") or Path("work_dirs") / name)


def plan_pipeline(name: str, stages: Sequence[Mapping[str, Any]], work_dir: str | Path) -> Pipeline:
    """Check the stages of a pipeline; see ``load_pipeline``.

    Args:
        name: what the pipeline is called.
        stages: ``dict(name=..., type=..., ...)`` of each stage, in order.
        work_dir: folder of the stages' folders.
    """
    folder = Path(work_dir).expanduser().absolute()
    steps: dict[str, Step] = {}
    names = [checked_name(stage, number) for number, stage in enumerate(stages)]
    for number, each in enumerate(names):
        if each in names[:number]:
            raise ConfigError(f"Two stages are called {each!r}. A stage's name is its folder; rename one.")
    for stage in stages:
        step = planned(stage, folder, steps, names)
        steps[step.name] = step
    return Pipeline(name, folder, list(steps.values()))


def checked_name(stage: Mapping[str, Any], number: int) -> str:
    """Return the name of a stage.

    Raises:
        ConfigError: it has none, or one that is no name for a folder.
    """
    name = stage.get("name")
    if name is None:
        raise ConfigError(f"stages[{number}] (type {stage.get('type')!r}) has no name. Add name='...', its folder.")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(
            f"stages[{number}] is called {name!r}. A stage's name is its folder: letters, digits, '-' and '_', with a "
            "letter first."
        )
    return name


def planned(stage: Mapping[str, Any], work_dir: Path, earlier: Mapping[str, Step], names: Sequence[str]) -> Step:
    """Return one stage, checked and declared.

    Raises:
        ConfigError: see ``load_pipeline``.
    """
    name = stage["name"]
    with told_by(name):
        config = {key: value for key, value in stage.items() if key != "name"}
        check_arguments(config, STAGES)
        kind = config.pop("type")
        cls = STAGES.get(kind) if isinstance(kind, str) else kind
        builds_on = placeholders(config)
        for other in builds_on:
            check_reference(other, name, earlier, names)
        for other, file in files_of(config):
            check_file(earlier[other], file, built(earlier[other].cls, earlier[other].arguments))
        asked = built(cls, config)
        fingerprints = {other: earlier[other].declaration.fingerprint for other in builds_on}
        declaration = declare(cls.__name__, config, fingerprints, asked)
    return Step(name, cls, config, work_dir / name, builds_on, declaration)


def check_reference(other: str, name: str, earlier: Mapping[str, Step], names: Sequence[str]) -> None:
    """Look for the stage that an argument refers to.

    Raises:
        ConfigError: it is unknown, or not an earlier one.
    """
    if other in earlier:
        return
    if other == name:
        raise ConfigError(f"{{{other}}} in its arguments is its own folder. Refer to an earlier stage.")
    if other in names:
        raise ConfigError(f"{{{other}}} in its arguments is a later stage. Put stage {other!r} before it.")
    raise ConfigError(
        f"{{{other}}} in its arguments is no stage. {nearest(other, earlier)} A text that really has braces in it is "
        f"written {{{{{other}}}}}."
    )


def check_file(step: Step, file: str, stage: Stage, data: bool = False) -> None:
    """Ask a stage for a file that a later one names.

    Args:
        step: the stage, planned.
        file: the name below its folder.
        stage: the stage, built.
        data: whether it is about to run, so that it may look at its data.

    Raises:
        ConfigError: it will not leave such a file, and none is there.
    """
    if (step.folder / file).exists() or file in RECORDS:
        return
    why = stage.lacks(file, data)
    if why is not None:
        raise ConfigError(f"{{{step.name}}}/{file} in its arguments will not be there: {why}.")


def built(cls: type[Stage], arguments: Mapping[str, Any]) -> Stage:
    """Build a stage.

    Raises:
        ConfigError: its arguments are not what it takes.
    """
    try:
        return cls(**arguments)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{cls.__name__} cannot be made of {dict(arguments)}: {type(error).__name__}: {error}."
        ) from error


@contextmanager
def told_by(name: str, what: str = "stage", of: str = "pipeline") -> Iterator[None]:
    """Put the name of a stage in front of an error, whatever it is."""
    try:
        yield
    except WsolkitError as error:
        raise type(error)(f"{what} {name!r}: {error}") from error
    except OSError as error:
        if error.filename is None:
            error.add_note(f"({what} {name!r} of the {of})")
            raise
        why = f"{error.filename}: {error.strerror}. Check the path, its permissions and the disk."
        raise WsolkitError(f"{what} {name!r}: {why}") from error
    except Exception as error:
        error.add_note(f"({what} {name!r} of the {of})")
        raise
