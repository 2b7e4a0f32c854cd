"""A training small enough for a test: tiny images drawn from their index, a backbone of two convolutions."""

import os
import random
import signal
from pathlib import Path

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from torch import nn
from torchvision.transforms import v2

import wsolkit.datasets.collate  # noqa: F401 - registers collate_samples
import wsolkit.training.broken_loss as guards
import wsolkit.training.checkpoints as checkpoints
import wsolkit.training.corrupt_images as corrupt_images
import wsolkit.training.history as history
import wsolkit.training.loops as loops
import wsolkit.training.param_groups as param_groups
import wsolkit.training.processes as processes
import wsolkit.training.progress_bar as progress
import wsolkit.training.seeding as seeding
import wsolkit.training.threshold as threshold
from wsolkit import Backbone, DataError, MapModifier, load_plugins
from wsolkit.config.load import load_config
from wsolkit.datasets.images import ImageDataset
from wsolkit.registry import (
    BACKBONES,
    DATASETS,
    HOOKS,
    LOOPS,
    METRICS,
    MODIFIERS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    TRANSFORMS,
)
from wsolkit.training.train import train

CONFIG = Path(__file__).with_name("micro_config.py")
COMPONENTS = {
    HOOKS.name: [
        checkpoints.Checkpoints,
        corrupt_images.CorruptImages,
        guards.StopOnBrokenLoss,
        history.History,
        processes.SameBuffers,
        progress.ProgressBar,
        seeding.SeedIterations,
        seeding.TrainingProgress,
        threshold.ThresholdHook,
    ],
    LOOPS.name: [loops.EpochLoop, loops.IterationLoop],
    OPTIM_WRAPPER_CONSTRUCTORS.name: [param_groups.PartOptimWrapperConstructor],
}


@BACKBONES.register_module(force=True)
class MicroBackbone(Backbone):
    """Two convolutions with batch norm between them."""

    def __init__(self, width: int = 4, weights: str | None = None) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.last = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.channels = {"last": width}
        self.strides = {"last": 4}
        self.weights = weights

    def forward(self, images):
        return {"last": self.last(self.norm(self.stem(images)).relu()).relu()}


@MODIFIERS.register_module(force=True)
class Noise(MapModifier):
    """Draws from every global stream, as a stranger's modifier might."""

    def modify(self, maps):
        scale = 1 + 0.1 * (random.random() + float(np.random.rand()))  # noqa: NPY002
        return maps * scale + 0.1 * torch.rand_like(maps)


@TRANSFORMS.register_module(force=True)
class Brighten(v2.Transform):
    """Adds a random number to all pixels."""

    def transform(self, inpt, params):
        return (inpt + torch.randint(0, 50, ())).to(torch.uint8)


@DATASETS.register_module(force=True)
class MicroDataset(ImageDataset):
    """Images of 8 x 8 pixels, drawn from the index; ``broken`` ones cannot be read."""

    def __init__(
        self, num_images: int = 12, broken: tuple = (), names: tuple = ("ant", "bee", "cat"), **kwargs
    ) -> None:
        self.num_images = num_images
        self.names = list(names)
        self.broken = set(broken)
        super().__init__(**kwargs)

    def load_records(self):
        records = [
            {"image_id": f"{self.split}/{index}", "image_path": f"{self.data_root}/{index}.png", "labels": [index % 3]}
            for index in range(self.num_images)
        ]
        return records, self.names

    def read_image(self, record):
        index = int(Path(record["image_path"]).stem)
        if index in self.broken:
            raise DataError(f"The image {record['image_path']} cannot be read.")
        return torch.randint(0, 200, (3, 8, 8), generator=torch.Generator().manual_seed(index)).to(torch.uint8)


@METRICS.register_module(force=True)
class MicroMetric(BaseMetric):
    """The share of correct classes, and a threshold that depends on the model; counts its calls in a file."""

    def process(self, data_batch, data_samples):
        for label, sample in zip(data_batch["labels"], data_samples, strict=True):
            self.results.append((int(sample.logits.argmax()) == int(label), float(sample.logits.sum())))

    def compute_metrics(self, results):
        return {
            "top1": 100 * float(np.mean([hit for hit, _ in results])),
            "threshold": 0.1 + 0.01 * abs(float(np.mean([total for _, total in results]))) % 0.5,
            "images": len(results),
        }


@HOOKS.register_module(force=True)
class Trip(Hook):
    """Does something to the training when a moment has come: for tests of breaks and failures."""

    def __init__(self, at: str, number: int, action: str) -> None:
        self.at = at
        self.number = number
        self.action = action

    def act(self, runner):
        if self.action == "kill":
            os.kill(os.getpid(), 9)
        elif self.action == "interrupt":
            raise KeyboardInterrupt
        elif self.action == "terminate":
            os.kill(os.getpid(), signal.SIGTERM)
        elif self.action == "nan":
            next(runner.model.parameters()).data.fill_(float("nan"))
        elif self.action == "kill while writing":
            os.fsync = lambda _: os.kill(os.getpid(), 9)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self.at == "iteration" and runner.iter + 1 == self.number:
            self.act(runner)

    def before_val_epoch(self, runner):
        if self.at == "validation" and runner.epoch == self.number:
            self.act(runner)

    def before_save_checkpoint(self, runner, checkpoint):
        if self.at == "saving" and checkpoint["meta"]["epoch"] == self.number:
            self.act(runner)


@HOOKS.register_module(force=True)
class RankWeights(Hook):
    """Keeps the weights of every process at the end."""

    def after_train(self, runner):
        model = getattr(runner.model, "module", runner.model)
        torch.save(model.state_dict(), Path(runner.work_dir) / f"rank{runner.rank}.pt")


def run_training(work_dir: str, options: dict, **arguments) -> None:
    """Train in this process; the target of the processes that tests kill."""
    train(load_config(CONFIG, options), work_dir, **arguments)


def register() -> None:
    """File the core's own components where no installed entry point has done so."""
    load_plugins()
    for home in (HOOKS, LOOPS, OPTIM_WRAPPER_CONSTRUCTORS):
        for cls in COMPONENTS.get(home.name, ()):
            if cls.__name__ not in home.module_dict:
                home.register_module(module=cls)


register()
