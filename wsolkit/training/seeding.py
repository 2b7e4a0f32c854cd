"""Makes every iteration's randomness a function of the seed and the iteration alone."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

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
    """Sets ``model.progress`` to the fraction of iterations done, in [0, 1), for losses and modifiers that ramp."""

    priority = "HIGH"

    def before_train_iter(self, runner: Runner, **_: Any) -> None:
        """Set the fraction before each iteration."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.progress = runner.iter / max(runner.max_iters, 1)
