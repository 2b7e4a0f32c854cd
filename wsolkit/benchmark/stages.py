"""The two stages of a job: a training, which several jobs may share, and the test of what it learnt."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from wsolkit.config.load import load_config
from wsolkit.config.load_model import LoadedModel
from wsolkit.files import write_json
from wsolkit.pipeline import Test, Train
from wsolkit.report.evaluation_file import write_evaluation
from wsolkit.training.checkpoints import LAST

__all__ = ["JOB", "JobTest", "JobTraining", "seconds_of"]

JOB = "job.json"
CLOCK = "clock.json"
"""How long a training took before it was last stopped, and when it was last taken up."""


class JobTraining(Train):
    """A training of a benchmark: as ``Train``, with kept features where all jobs of the same ones find them.

    Args:
        config: name or path of a configuration.
        options: entries of it to change, by dotted name.
        seed: seed of everything random.
        features: folder of kept features, for configurations with a ``feature_cache`` that name none.
    """

    def __init__(self, config: str, options: Mapping[str, Any], seed: int, features: Path) -> None:
        super().__init__(config, options, seed)
        self.features = features

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Train, and keep how long it took; returns the best value of the monitored metric, if there is one."""
        spent = spent_before(folder) if resume else 0.0
        write_json(folder / CLOCK, {"spent": spent, "since": time.time()})
        began = time.perf_counter()
        cache = load_config(self.config, self.options).get("feature_cache")
        if isinstance(cache, dict) and not cache.get("folder"):
            self.options = {**self.options, "feature_cache.folder": str(self.features)}
        numbers = super().run(folder, resume)
        write_json(folder / CLOCK, {"spent": spent + time.perf_counter() - began, "since": None})
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
    """Return how long a finished training took, all times it was taken up together."""
    return spent_before(folder)


class JobTest(Test):
    """The test of a job: as ``Test``, with the job's facts beside the results.

    Args:
        config: name or path of the configuration.
        checkpoint: the trained weights.
        options: entries of the configuration to change, by dotted name.
        protocols: published protocols to compute.
        facts: what ``job.json`` says of the job.
        device: cpu, cuda or cuda:N; a GPU if there is one by default.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str,
        options: Mapping[str, Any],
        protocols: list[str],
        facts: Mapping[str, Any],
        device: str | None = None,
    ) -> None:
        super().__init__(config, checkpoint, options, protocols=protocols, report=False, device=device)
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
        found = self.evaluation(str(self.facts["method"]), str(self.facts["command"]))
        write_evaluation(folder, found, page=False)
        minutes = {
            "train_minutes": 0.0 if self.checkpoint is None else seconds_of(Path(self.checkpoint).parent) / 60,
            "test_minutes": (time.perf_counter() - began) / 60,
        }
        write_json(folder / JOB, {**self.facts, **{name: round(value, 3) for name, value in minutes.items()}})
        return found.honest_numbers()


def device_name(device: torch.device) -> str:
    """Return what a device is called: a GPU by its name, a CPU by the number of threads.

    >>> device_name(torch.device("cpu")).startswith("cpu, ")
    True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads of {os.cpu_count()} cores"
