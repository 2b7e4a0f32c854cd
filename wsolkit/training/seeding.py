"""Makes every iteration's randomness a function of the seed and the iteration alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from wsolkit.interfaces import Activation, ActivationHead

__all__ = ["SeedIterations", "TrainingProgress", "seed_everything"]

SALT = 0x5EED


def seed_everything(*key: int) -> None:
    """Seed torch, numpy and Python from whole numbers, the same way on every machine.

    >>> seed_everything(0, 7)
    >>> first = torch.rand(2)
    >>> seed_everything(0, 7)
    >>> bool((torch.rand(2) == first).all())
    True
    """
    seed = hash((SALT, *key)) & (2**63 - 1)
    torch.manual_seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)  # noqa: NPY002 - the legacy global stream is what others draw from
    random.seed(seed)


class SeedIterations(Hook):
    """Seeds the main process before every epoch and iteration from (seed, iteration, rank).

    With it, dropout and modifiers of a resumed training draw what they would have drawn without the break.
    """

    priority = "HIGH"

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed what data loaders draw when they start their workers."""
        seed_everything(runner.seed, runner.iter, runner.rank, 1)

    def before_train_iter(self, runner: Runner, **_: Any) -> None:
        """Seed what the model draws."""
        seed_everything(runner.seed, runner.iter, runner.rank)


class TrainingProgress(Hook):
    """Tells the model how far the training is, for parts that ramp, that count passes, or that sum up at the end.

    ``model.progress`` is the fraction of iterations done, in [0, 1), and ``model.begins_pass`` whether a pass over the
    images begins; the head's ``last_look`` is called after the last iteration, its ``end_pass`` when the training has
    ended.
    """

    priority = "HIGH"

    def before_train_iter(self, runner: Runner, **_: Any) -> None:
        """Set both before each iteration."""
        model = plain_model(runner)
        model.progress = runner.iter / max(runner.max_iters, 1)
        model.begins_pass = runner.iter % max(len(runner.train_dataloader), 1) == 0

    def after_train_iter(self, runner: Runner, **_: Any) -> None:
        """Give the head a last look after the last iteration; other processes get what it found with the buffers."""
        model = plain_model(runner)
        head = getattr(model, "head", None)
        if runner.iter + 1 >= runner.max_iters and isinstance(head, ActivationHead) and is_main_process():
            training = model.training
            model.eval()
            head.last_look(activations(model, runner.train_dataloader))
            model.train(training)

    def after_train(self, runner: Runner) -> None:
        """Let the head say what it found."""
        head = getattr(plain_model(runner), "head", None)
        if isinstance(head, ActivationHead):
            head.end_pass()


@torch.no_grad()
def activations(model: Any, loader: DataLoader) -> Iterator[Activation]:
    """Yield what a model makes of all images that a loader draws from, in order."""
    size = getattr(loader.batch_sampler, "batch_size", None) or loader.batch_size or 1
    for batch in DataLoader(loader.dataset, batch_size=size, collate_fn=loader.collate_fn):
        yield model.activate(model.data_preprocessor(batch)["inputs"])


def plain_model(runner: Runner) -> Any:
    """Return the model of a runner without the wrapper of several processes."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
