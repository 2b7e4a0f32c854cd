"""What a benchmark notes of each of its jobs, beside the job's evaluation: method, data, seed, minutes, parameters."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from wsolkit.errors import DataError, printable
from wsolkit.report.evaluation import Evaluation
from wsolkit.report.evaluation_file import RESULTS, read_evaluation

__all__ = ["FACTS", "JOBS", "JobFacts", "is_benchmark", "read_facts", "read_jobs", "with_known_settings"]

JOBS, FACTS = "jobs", "job.json"
"""The folder of a benchmark's jobs, and what a job leaves in its own beside ``results.json``."""

TEXTS = ("method", "backbone", "data")
MORE_TEXTS = ("cam", "device", "command", "error", "settings_hash", "processor", "train_processor")
NUMBERS = ("epochs", "train_minutes", "test_minutes", "feature_minutes")
COUNTS = ("parameters", "trained_parameters")


@dataclass(frozen=True)
class JobFacts:
    """One job of a benchmark.

    Attributes:
        method: the method, as the benchmark's file calls it.
        backbone: the backbone.
        data: the data set.
        seed: the seed; None for a method without any chance.
        cam: the CAM method, where it is another one than the method's own.
        budget: what the job might use, such as a number of epochs; None for the benchmark's own.
        options: options of the configuration that make this job another one than the method's usual.
        settings_hash: a hash of everything that decides the result but the seed; empty where the job does not say.
        boxes_used: whether people's boxes were used in training.
        epochs: how many epochs were trained.
        train_minutes: minutes of training.
        test_minutes: minutes of scoring.
        feature_minutes: minutes in which features were computed that jobs share; in neither of the two.
        parameters: how many parameters the model has.
        trained_parameters: how many of them were trained.
        device: what it ran on.
        processor: the processor of its test.
        threads: how many threads computed on it.
        train_processor: the processor of its training, which may have been on another machine.
        train_threads: how many threads computed on that.
        command: the command that does the same.
        error: why it failed, in words; empty where it did not.
        folder: where it was read from.
    """

    method: str
    backbone: str = ""
    data: str = ""
    seed: int | None = None
    cam: str | None = None
    budget: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    boxes_used: bool = False
    epochs: float | None = None
    train_minutes: float | None = None
    test_minutes: float | None = None
    feature_minutes: float | None = None
    parameters: int | None = None
    trained_parameters: int | None = None
    device: str = ""
    command: str = ""
    error: str = ""
    folder: Path | None = None
    settings_hash: str = ""
    processor: str = ""
    threads: int | None = None
    train_processor: str = ""
    train_threads: int | None = None

    @property
    def measured_on(self) -> list[str]:
        """What its minutes were measured on, in words: where it was scored and, if it was elsewhere, trained.

        >>> JobFacts("CAM", device="cpu, 1 threads of 2 cores", processor="EPYC", threads=1).measured_on
        ['EPYC, 1 thread']
        """
        gpu = "" if not self.device or self.device.startswith("cpu") else f"{self.device} beside "
        told = [(self.train_processor, self.train_threads), (self.processor, self.threads)]
        words = [f"{gpu}{name}, {count} thread{'s' * (count != 1)}" for name, count in told if name and count]
        return list(dict.fromkeys(words)) or [self.device] * bool(self.device)

    @property
    def row(self) -> tuple[str, ...]:
        """What is the same in all seeds of one row of the table."""
        more = (self.budget, dict(self.options))
        words = json.dumps(more, sort_keys=True, default=str)
        return (self.data, self.backbone, self.method, self.cam or "", words, self.settings_hash)

    @classmethod
    def from_dict(cls, content: Any, path: str | Path = FACTS) -> Self:
        """Return the facts of a job's file; what else it says is not looked at.

        Args:
            content: what the file holds.
            path: its name, for errors.

        Raises:
            DataError: a fact is missing or of another kind.
        """
        if not isinstance(content, Mapping) or not isinstance(content.get("method"), str) or not content["method"]:
            raise DataError(f'{path} says nothing of a job: it has no "method". Run the benchmark again.')
        found: dict[str, Any] = {}
        for name in (*TEXTS, *MORE_TEXTS):
            found[name] = checked(content, name, str, path)
        for name in NUMBERS:
            value = checked(content, name, (int, float), path)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise DataError(f"{path}: {name} is a number not below 0, but got {value!r}. Run the job again.")
            found[name] = None if value is None else float(value)
        for name in (*COUNTS, "seed", "threads", "train_threads"):
            found[name] = checked(content, name, int, path)
        found["boxes_used"] = bool(checked(content, "boxes_used", bool, path))
        found["options"] = dict(checked(content, "options", Mapping, path) or {})
        found |= {name: found[name] or "" for name in (*TEXTS, *MORE_TEXTS) if name != "cam"}
        return cls(**found, budget=content.get("budget"))

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as plain data for a JSON file."""
        return {**asdict(self), "folder": None if self.folder is None else printable(str(self.folder))}


def with_known_settings(jobs: Sequence[JobFacts]) -> list[JobFacts]:
    """Return jobs of which those that say no hash of their settings have that of the others of their row.

    Jobs of earlier versions say none. Where the others differ, it stays unknown.

    >>> jobs = [JobFacts("CAM", seed=0), JobFacts("CAM", seed=1, settings_hash="ab"), JobFacts("ADL", seed=0)]
    >>> [job.settings_hash for job in with_known_settings(jobs)]
    ['ab', 'ab', '']
    """
    known: dict[tuple[str, ...], set[str]] = {}
    for job in jobs:
        known.setdefault(job.row[:-1], set()).update(filter(None, [job.settings_hash]))
    found = []
    for job in jobs:
        said = known[job.row[:-1]]
        found.append(replace(job, settings_hash=job.settings_hash or (next(iter(said)) if len(said) == 1 else "")))
    return found


def checked(content: Mapping[str, Any], name: str, kind: Any, path: str | Path) -> Any:
    """Return a fact; None where it is not said.

    Raises:
        DataError: it is of another kind.
    """
    value = content.get(name)
    if value is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
        return value
    words = {str: "a text", int: "a whole number", bool: "true or false", Mapping: "values by their names"}
    raise DataError(f"{path}: {name} is {words.get(kind, 'a number')}, but got {value!r}. Run the job again.")


def is_benchmark(folder: str | Path) -> bool:
    """Whether a folder is one that ``wsolkit benchmark`` writes.

    >>> is_benchmark("nowhere")
    False
    """
    return any(Path(folder).glob(f"{JOBS}/*/{FACTS}"))


def read_facts(path: Path, known: Mapping[str, Any] | None = None) -> JobFacts:
    """Read the facts of a job.

    Args:
        path: its ``job.json``.
        known: what the benchmark's file says of the job now; of the job's own file what it measured is taken, and the
            command that made it.

    Raises:
        DataError: the file cannot be read, or is not what a job writes.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}. Run the benchmark again.") from error
    facts = JobFacts.from_dict(content, path)
    if known is not None:
        facts = JobFacts.from_dict({**content, **known, "command": facts.command}, path)
    return replace(facts, folder=path.parent)


def read_jobs(
    folder: str | Path, names: Collection[str] | None = None
) -> tuple[list[tuple[JobFacts, Evaluation]], list[JobFacts]]:
    """Read what a benchmark has done so far.

    Args:
        folder: the benchmark's folder.
        names: the folders of the jobs that are wanted; all by default.

    Returns:
        the finished jobs with their evaluations, and the others: failed where they have an error, else not run yet.

    Raises:
        DataError: a file is not what a job writes.
    """
    done, missing = [], []
    for path in sorted(Path(folder).glob(f"{JOBS}/*/{FACTS}")):
        if names is not None and path.parent.name not in names:
            continue
        facts = read_facts(path)
        if facts.error or not path.with_name(RESULTS).is_file():
            missing.append(facts)
        else:
            done.append((facts, read_evaluation(path.parent)))
    return done, missing
