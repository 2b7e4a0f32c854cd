"""The jobs of a benchmark: one for each method, backbone, data set and seed, and the trainings that they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from mmengine.config import Config

from wsolkit.benchmark.benchmark_file import Benchmark, Budget, Entry, Method
from wsolkit.benchmark.steps import Piped, Scoring, Training, piped, safe, scoring, training
from wsolkit.config.load import load_config
from wsolkit.errors import ConfigError, naming
from wsolkit.pipeline.fingerprint import plain
from wsolkit.pipeline.plan import Step

__all__ = [
    "Job",
    "Place",
    "Setting",
    "config_of",
    "job_of",
    "jobs_of",
    "places_of",
    "readable_name",
    "share_trainings",
    "trial_name",
]

Place = tuple[str, str, str]
"""Names of method, backbone and data set in the file."""

NEVER = 1_000_000_000
"""The first epoch with a validation, where none is wanted."""


@dataclass(frozen=True)
class Job:
    """One line of the table for one seed.

    Attributes:
        method: name of the method.
        backbone: name of the backbone.
        data: name of the data set; empty where the benchmark names none.
        seed: the seed.
        readable: its folder's name without what tells settings apart.
        training: what it needs; None for a method that is not trained, or a pipeline.
        scoring: its test, or its pipeline.
        place: names of method, backbone and data set in the file.
        trial: its number, where it is a trial of a search.
    """

    method: str
    backbone: str
    data: str
    seed: int
    readable: str
    training: Training | None
    scoring: Scoring | Piped
    place: Place
    trial: int | None = None

    @property
    def steps(self) -> list[Step]:
        """What has to be done, in order."""
        return [self.scoring] if self.training is None else [self.training, self.scoring]

    @property
    def shared(self) -> Path:
        """The folder that it has in common with jobs of the same training."""
        return self.steps[0].folder

    @property
    def title(self) -> str:
        """What messages call it."""
        return ", ".join(filter(None, (self.method, self.backbone, self.data, f"seed {self.seed}", self.trial_words)))

    @property
    def trial_words(self) -> str:
        """What a trial of a search is called; nothing for other jobs."""
        return "" if self.trial is None else f"trial {self.trial + 1}"


@dataclass(frozen=True)
class Setting:
    """Where the jobs of a benchmark belong, and how they are computed.

    Attributes:
        out: folder of the benchmark.
        command: the command line, for ``job.json``.
        device: where tests compute; a GPU if there is one by default.
        loaded: configurations that were loaded already, by name and options: seeds and many methods share them.
    """

    out: Path
    command: str = ""
    device: str | None = None
    loaded: dict[str, Config] = field(default_factory=dict, compare=False)

    def load(self, name: str, options: Mapping[str, Any]) -> Config:
        """Return a configuration with options, which nobody changes.

        Raises:
            ConfigError: it is unknown or wrong.
        """
        key = repr((name, sorted(options.items())))
        if key not in self.loaded:
            self.loaded[key] = load_config(name, options)
        return self.loaded[key]


def jobs_of(
    benchmark: Benchmark, setting: Setting, found_best: Mapping[Place, Mapping[str, Any]] | None = None
) -> list[Job]:
    """Return the jobs of a benchmark, every configuration loaded and checked; all methods come before the next seed.

    Args:
        benchmark: what was read.
        setting: where they belong.
        found_best: options that a search has found, by the names of method, backbone and data set.

    Raises:
        ConfigError: a configuration is unknown or wrong; names the method.
    """
    found: dict[tuple[int, int], Job] = {}
    places = list(places_of(benchmark))
    for place, (method, backbone, data) in enumerate(places):
        names = (method.name, backbone.name, data.name)
        with naming(", ".join(filter(None, names)), "Method"):
            for number, seed in enumerate(method.seeds):
                job = job_of(benchmark, (method, backbone, data), seed, setting, (found_best or {}).get(names) or {})
                found[number, place] = job
                if job.training is None and method.result is None:
                    break  # nothing is learnt, so that a seed changes nothing
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
    asked: tuple[Method, Entry, Entry],
    seed: int,
    setting: Setting,
    drawn: Mapping[str, Any],
    trial: int | None = None,
) -> Job:
    """Return one job.

    Args:
        benchmark: what was read.
        asked: method, backbone and data set.
        seed: the seed.
        setting: where it belongs.
        drawn: options that a search has drawn.
        trial: its number, where it is a trial, which is tested on the validation split.

    Raises:
        ConfigError: its configuration is unknown or wrong.
    """
    method, backbone, data = asked
    place = (method.name, backbone.name, data.name)
    name = config_of(method, backbone, data)
    options = {**benchmark.options, **backbone.options, **data.options, **method.options, **drawn}
    readable = readable_name(place, seed, trial_name(benchmark, trial))
    facts: dict[str, Any] = {
        "method": method.name,
        "backbone": backbone.name,
        "data": data.name,
        "seed": seed,
        "cam": None,  # methods have names of their own
        "budget": vars(method.budget) if method.budget != benchmark.budget else None,
        "options": plain(drawn),
        "set": plain({**options, **method.test_options}, lenient=True),
        "config": name,
        "checkpoint": method.checkpoint,
        "command": setting.command,
    }
    if method.result is not None:
        facts["budget"] = "its own stages"
        step = piped(readable, name, options, method.result, seed, facts, setting.out, benchmark.processes)
        return Job(method.name, backbone.name, data.name, seed, readable, None, step, place)
    config = setting.load(name, options)
    if not config.get("model"):
        other = " It is a pipeline: write pipeline=NAME, result=STAGE." if config.get("stages") else ""
        raise ConfigError(f"the configuration {name} has no model, so there is nothing to train and test.{other}")
    facts["backbone"] = backbone.name or backbone_name(config)
    if config.model.get("losses"):
        options |= budget_options(config, method.budget, method.checkpoint == "last")
        config = setting.load(name, options)
        facts["epochs"] = (config.get("train_cfg") or {}).get("max_epochs")
        last = method.checkpoint == "last"
        trained = training(name, options, seed, config, last, setting.out, benchmark.processes)
    else:
        facts |= {"seed": None, "epochs": None}
        trained = None
    options |= method.test_options
    tested = setting.load(name, options) if method.test_options else config
    test = scoring(
        readable,
        name,
        options,
        tested,
        trained,
        method.checkpoint,
        benchmark.protocols,
        facts,
        setting.out,
        setting.device,
        "test" if trial is None else "val",
    )
    return Job(method.name, facts["backbone"], data.name, seed, readable, trained, test, place, trial)


def readable_name(place: Place, seed: int, trial: str = "") -> str:
    """Return how the name of a job's folder begins.

    >>> readable_name(("Grad-CAM++", "", "voc"), 0, "t01")
    'Grad-CAM++_voc_s0_t01'
    """
    return "_".join(safe(part) for part in (*place, f"s{seed}", trial) if part)


def trial_name(benchmark: Benchmark, trial: int | None) -> str:
    """Return a trial as a part of a folder's name, which tells who has drawn it; nothing for other jobs."""
    if trial is None:
        return ""
    return f"{'t' if benchmark.search.drawn_by(trial) == 'random' else 'tpe'}{trial + 1:02d}"


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
    """Return the options that give a training its budget, without validations where the last weights are taken.

    Raises:
        ConfigError: the budget names the other count alone.
    """
    loop = config.get("train_cfg") or {}
    counts = "max_epochs" if loop.get("max_epochs") is not None else "max_iters"
    both = [("epochs", budget.epochs), ("iterations", budget.iterations)]
    (what, wanted), (other, given) = both if counts == "max_epochs" else both[::-1]
    if loop and wanted is None and given is not None:
        raise ConfigError(
            f"its training counts {what}, but the budget gives {other} alone ({given}). Give budget.{what} too, for "
            "all or as a budget of its own."
        )
    options = {} if not loop or wanted is None else {f"train_cfg.{counts}": wanted}
    known = loop.get("type") in (None, "EpochBasedTrainLoop", "IterBasedTrainLoop")
    return options | ({"train_cfg.val_begin": NEVER} if loop and last and known else {})


def share_trainings(jobs: Sequence[Job]) -> list[Job]:
    """Let jobs whose trainings are the same have one and the same."""
    first: dict[str, Training] = {}
    shared = []
    for job in jobs:
        if job.training is not None and isinstance(job.scoring, Scoring) and job.scoring.checkpoint is not None:
            one = first.setdefault(job.training.declaration.fingerprint, job.training)
            checkpoint = one.folder / job.scoring.checkpoint.name
            job = replace(job, training=one, scoring=replace(job.scoring, checkpoint=checkpoint))
        shared.append(job)
    return shared


def backbone_name(config: Config) -> str:
    """Return what a configuration's backbone is called."""
    backbone = (config.get("model") or {}).get("backbone") or {}
    return str(backbone.get("name") or backbone.get("type") or "backbone")
