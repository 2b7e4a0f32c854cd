"""Keeps the box threshold that the validation chose, with the very weights it was chosen for."""

from __future__ import annotations

import math
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

__all__ = ["ThresholdHook"]


class ThresholdHook(Hook):
    """Writes the validation's ``threshold`` into ``model.chosen_threshold``, before checkpoints are written.

    The next training step makes it NaN again: nothing was chosen for the new weights.

    Args:
        key: name of the metric, with or without its prefix.
    """

    priority = "LOW"

    def __init__(self, key: str = "threshold") -> None:
        self.key = key
        self._chosen = True  # a resumed model may hold one

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Forget the threshold of the weights before this step."""
        if self._chosen:
            self._write(runner, math.nan)
            self._chosen = False

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Set the buffer of the model, and of its averaged copy where there is one."""
        found = [value for name, value in (metrics or {}).items() if name.rpartition("/")[2] == self.key]
        if found:
            self._write(runner, float(found[0]))
            self._chosen = True

    @staticmethod
    def _write(runner: Runner, threshold: float) -> None:
        models = [runner.model.module if is_model_wrapper(runner.model) else runner.model]
        models += [hook.ema_model.module for hook in runner.hooks if hasattr(hook, "ema_model")]
        for model in models:
            buffer = getattr(model, "chosen_threshold", None)
            if buffer is not None:
                buffer.fill_(threshold)
