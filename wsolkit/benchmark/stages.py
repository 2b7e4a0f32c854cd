"""What a job runs: a training, which several jobs may share, and a test of what it learnt; or a whole pipeline."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch

from wsolkit.config.load import load_config
from wsolkit.config.load_model import LoadedModel
from wsolkit.features.time_spent import hearing_of_features
from wsolkit.files import write_json
from wsolkit.interfaces import Stage
from wsolkit.pipeline import Test, Train, load_pipeline, run_pipeline
from wsolkit.report.evaluation_file import read_evaluation, write_evaluation
from wsolkit.report.job_facts import FACTS
from wsolkit.training.checkpoints import LAST
from wsolkit.training.machine import machine

__all__ = ["JobPipeline", "JobTest", "JobTraining", "seconds_of"]

CLOCK = "clock.json"
"""How long a training took before it was last stopped, how long its features, and when it was last taken up."""


def with_shared_features(config: str, options: Mapping[str, Any], features: Path) -> dict[str, Any]:
    """Return options that keep features where all jobs of the same ones find them, if features are to be kept."""
    cache = load_config(config, options).get("feature_cache")
    if not isinstance(cache, Mapping) or cache.get("folder") or cache.get("shared"):
        return dict(options)
    return {**options, "feature_cache.shared": str(features)}


class JobTraining(Train):
    """A training of a benchmark: as ``Train``, with kept features where all jobs of the same ones find them.

    Args:
        config: name or path of a configuration.
        options: entries of it to change, by dotted name.
        seed: seed of everything random.
        features: folder of kept features, for configurations with a ``feature_cache`` that name none.
        processes: how many train it.
    """

    def __init__(
        self,
        config: str,
        options: Mapping[str, Any],
        seed: int,
        features: Path,
        processes: Annotated[int, "at least 1"] = 1,
    ) -> None:
        super().__init__(config, with_shared_features(config, options, features), seed, processes)

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Train, and keep how long it took; returns the best value of the monitored metric, if there is one."""
        spent, features = (spent_before(folder), feature_seconds_of(folder)) if resume else (0.0, 0.0)
        clock: dict[str, Any] = {"spent": spent, "features": features, "since": time.time(), **measured_on()}
        heard: list[float] = []

        def hear(seconds: float) -> None:
            heard.append(seconds)
            now = {"features": features + sum(heard), "since": (clock["since"] or 0.0) + sum(heard)}
            write_json(folder / CLOCK, {**clock, **now})

        write_json(folder / CLOCK, clock)
        began = time.perf_counter()
        with hearing_of_features(hear):
            numbers = super().run(folder, resume)
        spent += time.perf_counter() - began - sum(heard)
        write_json(folder / CLOCK, {**clock, "spent": spent, "features": features + sum(heard), "since": None})
        return numbers


def spent_before(folder: Path) -> float:
    """Return the seconds of a training that was stopped, up to its last checkpoint: what came after that was lost."""
    try:
        clock = json.loads((folder / CLOCK).read_text(encoding="utf-8"))
        spent, since = float(clock["spent"]), clock["since"]
        last = (folder / LAST).stat().st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0
    return spent if since is None else spent + max(0.0, last - float(since))


def seconds_of(folder: Path) -> float:
    """Return how long a finished training took, all times it was taken up together, without its features."""
    return spent_before(folder)


def feature_seconds_of(folder: Path) -> float:
    """Return how long a training computed features, or waited for those of another; 0 where it had all of them."""
    try:
        return float(json.loads((folder / CLOCK).read_text(encoding="utf-8"))["features"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def trained_on(folder: Path) -> dict[str, Any]:
    """Return processor and threads of a training as facts of a job; nothing where it does not say them."""
    try:
        clock = json.loads((folder / CLOCK).read_text(encoding="utf-8"))
        return {"train_processor": str(clock["processor"]), "train_threads": int(clock["threads"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def measured_on() -> dict[str, Any]:
    """Return processor and threads of this process: what its minutes were measured on.

    >>> sorted(measured_on())
    ['processor', 'threads']
    """
    return {name: value for name, value in machine().items() if name in ("processor", "threads")}


class JobTest(Test):
    """The test of a job: as ``Test``, with the job's facts beside the results.

    Args:
        config: name or path of the configuration.
        checkpoint: the trained weights; None for a model that needs no training.
        options: entries of the configuration to change, by dotted name.
        protocols: published protocols to compute.
        facts: what ``job.json`` says of the job.
        features: folder of kept features, for configurations with a ``feature_cache`` that name none.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.
        split: ``test``, or ``val`` for a trial of a search.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str | None,
        options: Mapping[str, Any],
        protocols: list[str],
        facts: Mapping[str, Any],
        features: Path,
        device: str | None = None,
        split: Literal["test", "val"] = "test",
    ) -> None:
        options = with_shared_features(config, options, features)
        super().__init__(config, checkpoint, options, split, protocols, report=False, device=device)
        self.facts = dict(facts)

    def load(self) -> LoadedModel:
        """Return the model, and note how large it is and where it runs."""
        loaded = super().load()
        counts = [(each.numel(), each.requires_grad) for each in loaded.model.parameters()]
        self.facts |= {
            "parameters": sum(count for count, _ in counts),
            "trained_parameters": sum(count for count, trained in counts if trained),
            "device": device_name(loaded.model.device),
            "boxes_used": (loaded.training.get("boxes") or "none") != "none",
        }
        return loaded

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Score the checkpoint; returns the honest numbers in percent."""
        began = time.perf_counter()
        heard: list[float] = []
        with hearing_of_features(heard.append):
            found = self.evaluation(str(self.facts["method"]), str(self.facts["command"]))
        write_evaluation(folder, found, page=False)
        tested = time.perf_counter() - began - sum(heard)
        training = None if self.checkpoint is None else Path(self.checkpoint).parent
        features = sum(heard) + (0.0 if training is None else feature_seconds_of(training))
        facts = {**self.facts, **({} if training is None else trained_on(training))}
        write_facts(folder, facts, None if training is None else seconds_of(training), tested, features)
        return found.honest_numbers()


class JobPipeline(Stage):
    """A method that is a pipeline of its own: all its stages, and the results of one of them.

    Args:
        pipeline: name or path of the pipeline.
        options: its options.
        result: the stage whose results are the job's.
        facts: what ``job.json`` says of the job.
    """

    def __init__(self, pipeline: str, options: Mapping[str, Any], result: str, facts: Mapping[str, Any]) -> None:
        self.pipeline = pipeline
        self.options = dict(options)
        self.result = result
        self.facts = dict(facts)

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Run what is not done of the pipeline; returns the honest numbers in percent."""
        outcomes = run_pipeline(load_pipeline(self.pipeline, self.options, folder / "stages"), self.result)
        found = read_evaluation(folder / "stages" / self.result)
        found.name, found.command = str(self.facts["method"]), str(self.facts["command"])
        write_evaluation(folder, found, page=False)
        facts = {**self.facts, "boxes_used": (found.training.get("boxes") or "none") != "none"}
        last = next(each.seconds for each in outcomes if each.name == self.result)
        write_facts(folder, facts, sum(each.seconds for each in outcomes) - last, last)
        return found.honest_numbers()


def write_facts(
    folder: Path, facts: Mapping[str, Any], trained: float | None, tested: float, features: float | None = None
) -> None:
    """Write ``job.json``.

    Args:
        folder: the job's folder.
        facts: what is known.
        trained: seconds of training; None for a method without any.
        tested: seconds of the test.
        features: seconds in which features were computed, which are in neither; None where nobody counted them.
    """
    minutes = {"train_minutes": trained, "test_minutes": tested, "feature_minutes": features}
    rounded = {name: None if value is None else round(value / 60, 3) for name, value in minutes.items()}
    write_json(folder / FACTS, {**facts, **measured_on(), **rounded})


def device_name(device: torch.device) -> str:
    """Return what a device is called: a GPU by its name, a CPU by the number of threads.

    >>> device_name(torch.device("cpu")).startswith("cpu, ")
    True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads of {os.cpu_count()} cores"
