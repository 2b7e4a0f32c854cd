"""The jobs of a benchmark: one for each method, backbone, data set and seed, and the trainings that they share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

from mmengine.config import Config

from wsolkit.benchmark.benchmark_file import Benchmark, Budget, Entry, Method
from wsolkit.benchmark.stages import JobTest, JobTraining
from wsolkit.config.load import load_config
from wsolkit.errors import ConfigError, naming
from wsolkit.interfaces import Stage
from wsolkit.pipeline.configurations import files_named
from wsolkit.pipeline.fingerprint import Declaration, plain, state_of_files
from wsolkit.pipeline.plan import Step

__all__ = ["Job", "Scoring", "Training", "jobs_of"]

TRAININGS, JOBS, FEATURES = "trainings", "jobs", "features"
NEVER = 1_000_000_000
"""The first epoch with a validation, where none is wanted."""

OF_THE_TEST = (
    ("model", ("cam_method", "box_extractor", "refiner")),
    ("test_dataloader", ()),
    ("test_evaluator", ()),
    ("test_cfg", ()),
)
"""Entries of a configuration that decide nothing about the weights."""

OF_THE_VALIDATION = (
    ("val_dataloader", ()),
    ("val_evaluator", ()),
    ("val_cfg", ()),
    ("train_cfg", ("val_interval", "val_begin", "dynamic_intervals")),
)
"""Those that decide nothing where the last weights are taken."""


@dataclass(frozen=True)
class Training(Step):
    """A training, which several jobs may share.

    Attributes:
        config: name or path of its configuration.
        options: entries of it that are changed.
        seed: its seed.
    """

    what: ClassVar[tuple[str, str]] = ("training", "benchmark")

    config: str
    options: Mapping[str, Any]
    seed: int

    def build(self) -> Stage:
        """Return the stage that trains."""
        features = self.folder.parent.parent / FEATURES / features_key(load_config(self.config, self.options))
        return JobTraining(self.config, self.options, self.seed, features)


@dataclass(frozen=True)
class Scoring(Step):
    """The test of a job.

    Attributes:
        config: name or path of its configuration.
        options: entries of it that are changed.
        checkpoint: the weights.
        protocols: published protocols to compute.
        facts: what ``job.json`` says, as far as it is known before.
        device: where to compute.
    """

    what: ClassVar[tuple[str, str]] = ("job", "benchmark")

    config: str
    options: Mapping[str, Any]
    checkpoint: Path
    protocols: Sequence[str]
    facts: Mapping[str, Any]
    device: str | None

    def build(self) -> Stage:
        """Return the stage that tests."""
        return JobTest(self.config, str(self.checkpoint), self.options, list(self.protocols), self.facts, self.device)


@dataclass(frozen=True)
class Job:
    """One line of the table for one seed.

    Attributes:
        method: name of the method.
        backbone: name of the backbone.
        data: name of the data set; empty where the benchmark names none.
        seed: the seed.
        readable: its folder's name without what tells settings apart.
        training: what it needs.
        scoring: what it is.
    """

    method: str
    backbone: str
    data: str
    seed: int
    readable: str
    training: Training
    scoring: Scoring

    @property
    def title(self) -> str:
        """What messages call it."""
        return ", ".join(filter(None, (self.method, self.backbone, self.data, f"seed {self.seed}")))


def jobs_of(benchmark: Benchmark, out: Path, command: str = "", device: str | None = None) -> list[Job]:
    """Return the jobs of a benchmark, every configuration loaded and checked; all methods come before the next seed.

    Args:
        benchmark: what was read.
        out: folder of the benchmark.
        command: the command line, for ``job.json``.
        device: where tests compute; a GPU if there is one by default.

    Raises:
        ConfigError: a configuration is unknown or wrong; names the method.
    """
    found: dict[tuple[int, int], Job] = {}
    places = list(places_of(benchmark))
    for place, (method, backbone, data) in enumerate(places):
        title = ", ".join(filter(None, (method.name, backbone.name, data.name)))
        with naming(title, "Method"):
            for number, seed in enumerate(method.seeds):
                found[number, place] = job_of(benchmark, method, backbone, data, seed, out, command, device)
    if not found:
        raise ConfigError("The benchmark has no job: `only` leaves no data set or backbone to any method.")
    return share_trainings([found[key] for key in sorted(found)])


def places_of(benchmark: Benchmark) -> Iterator[tuple[Method, Entry, Entry]]:
    """Yield what goes together: method, backbone and data set."""
    for data, backbone, method in product(benchmark.data, benchmark.backbones, benchmark.methods):
        if all(
            fits(entry, others, method.only)
            for entry, others in ((data, benchmark.data), (backbone, benchmark.backbones))
        ):
            yield method, backbone, data


def fits(entry: Entry, others: Sequence[Entry], only: Sequence[str]) -> bool:
    """Whether a method is for a data set or backbone: it names it, or none of its kind.

    >>> fits(Entry("voc"), [Entry("voc"), Entry("cub")], ["cub"]), fits(Entry("voc"), [Entry("voc")], ["resnet50"])
    (False, True)
    """
    named = [each.name for each in others if each.name in only]
    return not named or entry.name in named


def job_of(
    benchmark: Benchmark,
    method: Method,
    backbone: Entry,
    data: Entry,
    seed: int,
    out: Path,
    command: str,
    device: str | None,
) -> Job:
    """Return one job; see ``jobs_of``."""
    name = config_of(method, backbone, data)
    options = {**benchmark.options, **backbone.options, **data.options, **method.options}
    config = load_config(name, options)
    if not config.get("model"):
        raise ConfigError(f"the configuration {name} has no model, so there is nothing to train and test.")
    options |= budget_options(config, method.budget, method.checkpoint == "last")
    trained = load_config(name, options)
    tested = load_config(name, {**options, **method.test_options}) if method.test_options else trained
    training = training_of(name, options, seed, trained, method.checkpoint == "last", out)
    facts = {
        "method": method.name,
        "backbone": backbone.name or backbone_name(trained),
        "data": data.name,
        "seed": seed,
        "cam": None,  # methods have names of their own
        "budget": vars(method.budget) if method.budget != benchmark.budget else None,
        "options": {},
        "set": plain({**options, **method.test_options}, lenient=True),
        "config": name,
        "checkpoint": method.checkpoint,
        "epochs": (trained.get("train_cfg") or {}).get("max_epochs"),
        "command": command,
    }
    readable = "_".join(safe(part) for part in (method.name, backbone.name, data.name, f"s{seed}") if part)
    arguments = {"checkpoint": method.checkpoint, "protocols": list(benchmark.protocols)}
    builds_on = {"training": training.declaration.fingerprint}
    content = plain(tested.to_dict(), lenient=True)
    declared = Declaration("Test", arguments, builds_on, {"configuration": content}, inputs_of(tested))
    scoring = Scoring(
        name=readable,
        cls=JobTest,
        arguments=arguments,
        folder=out / JOBS / f"{readable}_{declared.fingerprint[:8]}",
        builds_on=(),
        declaration=declared,
        config=name,
        options={**options, **method.test_options},
        checkpoint=training.folder / f"{method.checkpoint}.pth",
        protocols=benchmark.protocols,
        facts=facts,
        device=device,
    )
    return Job(method.name, str(facts["backbone"]), data.name, seed, readable, training, scoring)


def config_of(method: Method, backbone: Entry, data: Entry) -> str:
    """Return the name of a method's configuration, filled in.

    Raises:
        ConfigError: it asks for a data set or a backbone, and the benchmark names none.
    """
    name = method.config
    for what, entry in (("data", data), ("backbone", backbone)):
        if f"{{{what}}}" in name and not entry.name:
            plural = {"data": "data", "backbone": "backbones"}[what]
            raise ConfigError(
                f"config={name!r} has {{{what}}} in it, but the file names no {plural}. Write {plural} = [...]."
            )
        name = name.replace(f"{{{what}}}", entry.name)
    return name


def budget_options(config: Config, budget: Budget, last: bool) -> dict[str, Any]:
    """Return the options that give a training its budget, without validations where the last weights are taken."""
    loop = config.get("train_cfg") or {}
    counts = "max_epochs" if loop.get("max_epochs") is not None else "max_iters"
    wanted = budget.epochs if counts == "max_epochs" else budget.iterations
    options = {} if not loop or wanted is None else {f"train_cfg.{counts}": wanted}
    known = loop.get("type") in (None, "EpochBasedTrainLoop", "IterBasedTrainLoop")
    return options | ({"train_cfg.val_begin": NEVER} if loop and last and known else {})


def training_of(name: str, options: Mapping[str, Any], seed: int, config: Config, last: bool, out: Path) -> Training:
    """Return the training of a job, called after everything that decides about its weights."""
    content: dict[str, Any] = plain(config.to_dict(), lenient=True)
    for key, parts in (*OF_THE_TEST, *(OF_THE_VALIDATION if last else ())):
        if not parts:
            content.pop(key, None)
        elif isinstance(content.get(key), dict):
            content[key] = {part: value for part, value in content[key].items() if part not in parts}
    declared = Declaration("Train", {"seed": seed}, {}, {"configuration": content}, inputs_of(config))
    readable = f"{safe(Path(name).stem)}_s{seed}"
    folder = out / TRAININGS / f"{readable}_{declared.fingerprint[:8]}"
    return Training(readable, JobTraining, {"seed": seed}, folder, (), declared, name, dict(options), seed)


def share_trainings(jobs: Sequence[Job]) -> list[Job]:
    """Let jobs whose trainings are the same have one and the same."""
    first: dict[str, Training] = {}
    shared = []
    for job in jobs:
        training = first.setdefault(job.training.declaration.fingerprint, job.training)
        checkpoint = training.folder / job.scoring.checkpoint.name
        shared.append(replace(job, training=training, scoring=replace(job.scoring, checkpoint=checkpoint)))
    return shared


def inputs_of(config: Config) -> dict[str, list[int]]:
    """Return size and time of change of the files a configuration names, such as pretrained weights."""
    return dict(state_of_files(files_named(config.to_dict())))


def features_key(config: Config) -> str:
    """Return a name for the kept features of a configuration: the same for the same network and the same images."""
    content: dict[str, Any] = plain(config.to_dict(), lenient=True)
    model, loader = content.get("model") or {}, content.get("train_dataloader") or {}
    names = ("backbone", "freeze", "data_preprocessor", "precision", "modifiers")
    cache = {key: value for key, value in (content.get("feature_cache") or {}).items() if key == "level"}
    decides = {name: model.get(name) for name in names} | {"dataset": loader.get("dataset"), **cache}
    kept = Declaration("features", decides, {}, {"load_from": content.get("load_from")}, {})
    return f"{safe(backbone_name(config))}_{kept.fingerprint[:8]}"


def backbone_name(config: Config) -> str:
    """Return what a configuration's backbone is called."""
    backbone = (config.get("model") or {}).get("backbone") or {}
    return str(backbone.get("name") or backbone.get("type") or "backbone")


def safe(name: str) -> str:
    """Return a name as part of a folder's.

    >>> safe("Grad-CAM++ (layer 4)")
    'Grad-CAM++-layer-4'
    """
    return re.sub(r"[^A-Za-z0-9+.=-]+", "-", name).strip("-.") or "x"
