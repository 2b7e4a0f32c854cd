"""Stops a training that has gone wrong, with words."""

from __future__ import annotations

import math
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from wsolkit.errors import WsolkitError
from wsolkit.training.checkpoints import kept

__all__ = ["StopOnBrokenLoss"]


class StopOnBrokenLoss(Hook):
    """Stops the training when the loss is NaN or infinite, before anything is overwritten."""

    priority = "VERY_HIGH"

    def after_train_iter(self, runner: Runner, outputs: dict | None = None, **_: Any) -> None:
        """Look at the loss of the iteration.

        Raises:
            WsolkitError: it is not finite; names the iteration and the parts of the loss.
        """
        loss = (outputs or {}).get("loss")
        if loss is None or math.isfinite(loss.detach()):
            return
        parts = ", ".join(f"{name} {float(value.detach()):.4g}" for name, value in (outputs or {}).items())
        raise WsolkitError(
            f"The loss became {float(loss.detach())} at iteration {runner.iter + 1} of {runner.max_iters} ({parts}). "
            f"{kept(runner)} Lower the learning rate, clip gradients (optim_wrapper.clip_grad) or train with --no-amp."
        )
