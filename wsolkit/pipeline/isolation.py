"""Keeps the stages of one process apart: each starts from the same random state and with the same switches."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from mmengine.registry import DefaultScope

from wsolkit.registry import SCOPE
from wsolkit.training.seeding import seed_everything

__all__ = ["isolated"]

SEED = 0


@contextmanager
def isolated() -> Iterator[None]:
    """Run a stage as if it were alone in its process, and put back afterwards what it changed.

    Random streams, cuDNN's and torch's switches for determinism and mmengine's scope are those of a fresh process
    within, and as before behind it. A stage's result does not depend on whether those before it ran or were skipped.
    """
    streams = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else []
    cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    exact = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    gradients = torch.is_grad_enabled()
    try:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, False
        torch.use_deterministic_algorithms(False)
        seed_everything(SEED)
        with DefaultScope.overwrite_default_scope(SCOPE):
            yield
    finally:
        torch.set_grad_enabled(gradients)
        torch.use_deterministic_algorithms(exact[0], warn_only=exact[1])
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = cudnn
        random.setstate(streams[0])
        np.random.set_state(streams[1])  # noqa: NPY002
        torch.set_rng_state(streams[2])
        if devices:
            torch.cuda.set_rng_state_all(devices)
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            gc.collect()  # a training's parts refer to each other and would keep the device's memory
            torch.cuda.empty_cache()
