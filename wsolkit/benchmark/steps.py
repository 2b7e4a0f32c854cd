"""What a job consists of: its training, its test, or a whole pipeline, each with everything that decides its result."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from mmengine.config import Config

from wsolkit.benchmark.stages import JobPipeline, JobTest, JobTraining
from wsolkit.config.seed_free import seed_free_hash
from wsolkit.errors import ConfigError, nearest
from wsolkit.interfaces import Stage
from wsolkit.pipeline import Train, load_pipeline
from wsolkit.pipeline.configurations import files_named
from wsolkit.pipeline.fingerprint import Declaration, plain, state_of_files
from wsolkit.pipeline.plan import Step
from wsolkit.report.job_facts import JOBS
from wsolkit.training.facts import configuration_facts
from wsolkit.training.launch import shared_batch

__all__ = ["FEATURES", "TRAININGS", "TRIALS", "Piped", "Scoring", "Training", "piped", "safe", "scoring", "training"]

TRAININGS, TRIALS, FEATURES = "trainings", "trials", "features"

OF_THE_TEST = (
    ("test_dataloader", ()),
    ("test_evaluator", ()),
    ("test_cfg", ()),
    ("track", ()),
)
"""Entries of a configuration that decide nothing about the weights."""

OF_THE_VALIDATION = (
    ("model", ("cam_method", "box_extractor", "refiner")),
    ("val_dataloader", ()),
    ("val_evaluator", ()),
    ("val_cfg", ()),
    ("train_cfg", ("val_interval", "val_begin", "dynamic_intervals")),
    ("feature_cache", ("evaluate", "folder", "shared", "most_gb")),
)
"""Those that decide nothing where the last weights are taken."""


@dataclass(frozen=True)
class Training(Step):
    """A training, which several jobs may share.

    Attributes:
        config: name or path of its configuration.
        options: entries of it that are changed.
        seed: its seed.
        processes: how many train it.
    """

    what: ClassVar[tuple[str, str]] = ("training", "benchmark")

    config: str
    options: Mapping[str, Any]
    seed: int
    processes: int

    def build(self) -> Stage:
        """Return the stage that trains."""
        features = self.folder.parent.parent / FEATURES
        return JobTraining(self.config, self.options, self.seed, features, self.processes)


@dataclass(frozen=True)
class Scoring(Step):
    """The test of a job.

    Attributes:
        config: name or path of its configuration.
        options: entries of it that are changed.
        checkpoint: the weights; None for a model that needs no training.
        protocols: published protocols to compute.
        facts: what ``job.json`` says, as far as it is known before.
        device: where to compute.
        split: ``test``, or ``val`` for a trial of a search.
    """

    what: ClassVar[tuple[str, str]] = ("job", "benchmark")

    config: str
    options: Mapping[str, Any]
    checkpoint: Path | None
    protocols: Sequence[str]
    facts: Mapping[str, Any]
    device: str | None
    split: Literal["test", "val"]

    def build(self) -> Stage:
        """Return the stage that tests."""
        checkpoint = None if self.checkpoint is None else str(self.checkpoint)
        features = self.folder.parent.parent / FEATURES
        return JobTest(
            self.config, checkpoint, self.options, list(self.protocols), self.facts, features, self.device, self.split
        )


@dataclass(frozen=True)
class Piped(Step):
    """A job that is a pipeline.

    Attributes:
        pipeline: name or path of the pipeline.
        options: its options.
        result: the stage whose results are the job's.
        facts: what ``job.json`` says, as far as it is known before.
    """

    what: ClassVar[tuple[str, str]] = ("job", "benchmark")

    pipeline: str
    options: Mapping[str, Any]
    result: str
    facts: Mapping[str, Any]

    def build(self) -> Stage:
        """Return the stage that runs the pipeline."""
        return JobPipeline(self.pipeline, self.options, self.result, self.facts)


def training(
    name: str, options: Mapping[str, Any], seed: int, config: Config, last: bool, out: Path, processes: int = 1
) -> Training:
    """Return a training, called after everything that decides about its weights.

    Args:
        name: name or path of the configuration.
        options: entries of it that are changed.
        seed: the seed.
        config: the configuration with the options.
        last: whether the last weights are taken, so that no validation decides.
        out: folder of the benchmark.
        processes: how many train it.

    Raises:
        ConfigError: its batches cannot be shared out among them.
    """
    content: dict[str, Any] = plain(config.to_dict(), lenient=True)
    for key, parts in (*OF_THE_TEST, *(OF_THE_VALIDATION if last else ())):
        if not parts:
            content.pop(key, None)
        elif isinstance(content.get(key), dict):
            content[key] = {part: value for part, value in content[key].items() if part not in parts}
    arguments: dict[str, Any] = {"seed": seed}
    if processes > 1:
        shared_batch(config, processes)
        arguments["processes"] = processes
    declared = Declaration("Train", arguments, {}, {"configuration": content}, inputs_of(config))
    readable = f"{safe(Path(name).stem)}_s{seed}"
    folder = out / TRAININGS / f"{readable}_{declared.fingerprint[:8]}"
    return Training(readable, JobTraining, arguments, folder, (), declared, name, dict(options), seed, processes)


def scoring(
    readable: str,
    name: str,
    options: Mapping[str, Any],
    config: Config,
    trained: Training | None,
    checkpoint: str,
    protocols: Sequence[str],
    facts: Mapping[str, Any],
    out: Path,
    device: str | None,
    split: Literal["test", "val"] = "test",
) -> Scoring:
    """Return the test of a job.

    Args:
        readable: how its folder's name begins.
        name: name or path of the configuration.
        options: entries of it that are changed.
        config: the configuration with the options.
        trained: the training; None for a model that needs none.
        checkpoint: ``last`` or ``best``.
        protocols: published protocols to compute.
        facts: what is known of the job.
        out: folder of the benchmark.
        device: where to compute.
        split: ``test``, or ``val`` for a trial of a search.
    """
    arguments = {"checkpoint": checkpoint, "protocols": list(protocols)} | ({} if split == "test" else {"split": split})
    builds_on = {} if trained is None else {"training": trained.declaration.fingerprint}
    content = plain(config.to_dict(), lenient=True)
    declared = Declaration("Test", arguments, builds_on, {"configuration": content}, inputs_of(config))
    folder = out / (JOBS if split == "test" else TRIALS) / f"{readable}_{declared.fingerprint[:8]}"
    weights = None if trained is None else trained.folder / f"{checkpoint}.pth"
    said: dict[str, Any] = {**configuration_facts(content), "checkpoint": checkpoint}
    if trained is not None and trained.processes > 1:
        said["processes"] = trained.processes
    return Scoring(
        readable,
        JobTest,
        arguments,
        folder,
        (),
        declared,
        name,
        dict(options),
        weights,
        protocols,
        {**facts, "settings_hash": seed_free_hash(said)},
        device,
        split,
    )


def piped(
    readable: str,
    name: str,
    options: Mapping[str, Any],
    result: str,
    seed: int,
    facts: Mapping[str, Any],
    out: Path,
    processes: int = 1,
) -> Piped:
    """Return a job that is a pipeline; the seed and the number of processes are given to all its trainings.

    Args:
        readable: how its folder's name begins.
        name: name or path of the pipeline.
        options: its options.
        result: the stage whose results are the job's.
        seed: the seed.
        facts: what is known of the job.
        out: folder of the benchmark.
        processes: how many train each of its models.

    Raises:
        ConfigError: the pipeline is wrong, or has no such stage.
    """
    steps = load_pipeline(name, options, out).steps
    names = [step.name for step in steps]
    if result not in names:
        raise ConfigError(
            f"the pipeline {name} has no stage {result!r}, whose results are asked for. {nearest(result, names)}"
        )
    trainings = [step.name for step in steps if issubclass(step.cls, Train)]
    seeds = {f"stages.{each}.seed": seed for each in trainings}
    if processes > 1:
        seeds |= {f"stages.{each}.processes": processes for each in trainings}
    stages = [(step.name, step.declaration) for step in load_pipeline(name, options, out).upto(result)]
    said = [(name, each.type, each.arguments, each.settings) for name, each in stages]
    facts = {**facts, "settings_hash": seed_free_hash(said)}
    options = {**seeds, **options}
    steps = load_pipeline(name, options, out).upto(result)
    builds_on = {step.name: step.declaration.fingerprint for step in steps}
    arguments = {"pipeline": name, "result": result, "options": plain(options, lenient=True), "seed": seed}
    declared = Declaration("Pipeline", arguments, builds_on, {}, {})
    folder = out / JOBS / f"{readable}_{declared.fingerprint[:8]}"
    return Piped(readable, JobPipeline, arguments, folder, (), declared, name, options, result, facts)


def inputs_of(config: Config) -> dict[str, list[int]]:
    """Return size and time of change of the files a configuration names, such as pretrained weights."""
    return dict(state_of_files(files_named(config.to_dict())))


def safe(name: str) -> str:
    """Return a name as part of a folder's.

    >>> safe("Grad-CAM++ (layer 4)")
    'Grad-CAM++-layer-4'
    """
    return re.sub(r"[^A-Za-z0-9+.=-]+", "-", name).strip("-.") or "x"
