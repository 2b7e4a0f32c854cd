"""Programs that keep the curves of many trainings: MLflow and Weights & Biases, where ``track`` asks for them.

Where they write is theirs to say: ``MLFLOW_TRACKING_URI``, ``MLFLOW_EXPERIMENT_NAME``, ``WANDB_MODE``,
``WANDB_PROJECT`` and whatever else they read. A tracker that fails within a training is given up with a warning.
"""

from __future__ import annotations

import os
import re
import time
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner
from mmengine.visualization.vis_backend import BaseVisBackend

from wsolkit.errors import ConfigError, nearest, shortened

__all__ = ["TRACKERS", "asked_trackers", "note_failure", "start_trackers"]

PER_REQUEST = 100
"""How many parameters MLflow takes at once."""

LONGEST = 500
"""How many characters of a parameter MLflow keeps, in every version."""


class Tracker(BaseVisBackend):
    """Takes what a training logs to another program, beside the logs in the work folder."""

    key = ""
    """Its name in a configuration, which is that of its library."""

    def __init__(self, work_dir: Path) -> None:
        super().__init__(str(work_dir))
        self.failed = False
        self.lost = False

    def _init_env(self) -> None:
        """Nothing is opened behind the training's back: ``start`` is called."""

    @property
    def experiment(self) -> Tracker:
        """The tracker itself."""
        return self

    @abstractmethod
    def start(self, name: str, config: Config) -> None:
        """Open a run of this name with the configuration in it."""

    @abstractmethod
    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Keep numbers of one step."""

    @abstractmethod
    def finish(self) -> None:
        """Close the run; ``failed`` says how the training ended."""

    def add_scalars(
        self, scalar_dict: Mapping[str, Any], step: int = 0, file_path: str | None = None, **kwargs: Any
    ) -> None:
        """Keep what is a number; where that fails, go on without the tracker."""
        numbers = {key: float(value) for key, value in scalar_dict.items() if hasattr(value, "__float__")}
        self._unless_lost(lambda: self.log(numbers, step))

    def close(self) -> None:
        """Close the run once."""
        self._unless_lost(self.finish)
        self.lost = True

    def _unless_lost(self, act: Any) -> None:
        if self.lost:
            return
        try:
            act()
        except Exception as error:  # a server that is gone must not cost a training
            self.lost = True
            warnings.warn(
                f"{self.key} has failed and is given up: {shortened(' '.join(str(error).split()), 200)}. The training "
                "goes on; its numbers are in the log of its folder.",
                stacklevel=2,
            )


class MLflow(Tracker):
    """A run of MLflow: parameters are the configuration's values by dotted names, metrics what the training logs."""

    key = "mlflow"

    def start(self, name: str, config: Config) -> None:
        """Open a run in the experiment ``MLFLOW_EXPERIMENT_NAME``, by default ``wsolkit``."""
        from mlflow import MlflowClient
        from mlflow.entities import Param

        self.client = MlflowClient()
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", "wsolkit")
        found = self.client.get_experiment_by_name(experiment)
        place = found.experiment_id if found else self.client.create_experiment(experiment)
        self.run = self.client.create_run(place, run_name=name).info.run_id
        params = [Param(allowed(key), str(value)[:LONGEST]) for key, value in values_of(config.to_dict())]
        for first in range(0, len(params), PER_REQUEST):
            self.client.log_batch(self.run, params=params[first : first + PER_REQUEST])

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Keep numbers of one step; ``@`` and the like, which MLflow refuses in names, become ``_``."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(self.run, [Metric(allowed(key), value, now, step) for key, value in scalars.items()])

    def finish(self) -> None:
        """Close the run as finished or as failed."""
        self.client.set_terminated(self.run, "FAILED" if self.failed else "FINISHED")


class WeightsAndBiases(Tracker):
    """A run of Weights & Biases; offline with ``WANDB_MODE=offline``, in the work folder."""

    key = "wandb"

    def start(self, name: str, config: Config) -> None:
        """Open a run; neither code nor what is printed is sent."""
        import wandb

        self.run = wandb.init(
            dir=os.environ.get("WANDB_DIR", self._save_dir),
            name=os.environ.get("WANDB_NAME", name),
            config=config.to_dict(),
            settings=wandb.Settings(console="off"),
        )

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Keep numbers; validation counts epochs and training iterations, so that the step is one number of them."""
        self.run.log({**scalars, "step": step})

    def finish(self) -> None:
        """Close the run as finished or as failed."""
        self.run.finish(exit_code=int(self.failed))


TRACKERS: dict[str, type[Tracker]] = {kind.key: kind for kind in (MLflow, WeightsAndBiases)}
"""What ``track`` may name."""


def allowed(name: str) -> str:
    """Return a name as MLflow takes it.

    >>> allowed("BoxAcc@50"), allowed("model.head.type")
    ('BoxAcc_50', 'model.head.type')
    """
    return re.sub(r"[^\w\-. /]", "_", name)


def values_of(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a configuration by their dotted names; lists of plain values are one value.

    >>> list(values_of({"a": {"b": 1}, "c": [{"d": 2}], "e": [3, 4]}))
    [('a.b', 1), ('c.0.d', 2), ('e', [3, 4])]
    """
    items: Mapping[Any, Any] | None = node if isinstance(node, Mapping) else None
    if isinstance(node, Sequence) and any(isinstance(each, Mapping) for each in node):
        items = dict(enumerate(node))
    if items is None:
        yield place, node
        return
    for key, value in items.items():
        yield from values_of(value, f"{place}.{key}" if place else str(key))


def asked_trackers(config: Mapping[str, Any]) -> list[str]:
    """Return what the configuration's ``track`` names.

    Raises:
        ConfigError: there is no such tracker, or its library is not installed.
    """
    asked = config.get("track") or []
    names = [asked] if isinstance(asked, str) else list(dict.fromkeys(asked))
    for name in names:
        if name not in TRACKERS:
            raise ConfigError(
                f"track names programs that keep a training's curves, but got {name!r}. "
                f"{nearest(str(name), TRACKERS)} TensorBoard's files are written without it."
            )
        if find_spec(name) is None:
            raise ConfigError(f"track={name} needs {name}, which is not installed. Install it with: pip install {name}")
    return names


def start_trackers(runner: Runner, names: Sequence[str], work_dir: Path, config: Config) -> None:
    """Open a run, named after the work folder, in each program that was asked for; on the main process.

    Raises:
        ConfigError: one refuses, with its own words.
    """
    if not is_main_process():
        return
    for name in names:
        tracker = TRACKERS[name](work_dir)
        try:
            tracker.start(work_dir.name, config)
        except Exception as error:
            note_failure(runner)
            runner.visualizer.close()
            words = shortened(" ".join(str(error).split()), 300)
            raise ConfigError(
                f"track={name}: {name} cannot begin a run: {words} Set it up as its own documentation says, or leave "
                "track out."
            ) from error
        runner.visualizer._vis_backends[name] = tracker


def note_failure(runner: Runner) -> None:
    """Let trackers know that the training does not end well."""
    for backend in getattr(runner.visualizer, "_vis_backends", {}).values():
        if isinstance(backend, Tracker):
            backend.failed = True
