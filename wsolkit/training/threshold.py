"""Keeps the box threshold that the validation chose, with the very weights it was chosen for."""

from __future__ import annotations

import math
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from wsolkit.model.threshold import MAPS_ALONE, THRESHOLD_SOURCE
from wsolkit.training.runner import bare

__all__ = ["ThresholdHook", "source_of_threshold"]


def source_of_threshold(runner: Runner) -> dict[str, str]:
    """Return what a checkpoint's ``meta`` says of how the model's threshold was chosen; nothing where on val."""
    source = getattr(bare(runner.model), THRESHOLD_SOURCE, None)
    return {} if source is None else {THRESHOLD_SOURCE: source}


class ThresholdHook(Hook):
    """Writes the validation's ``threshold`` into ``model.chosen_threshold``, before checkpoints are written.

    Where the validation has no box to choose by, its ``label_free_threshold`` is taken, and ``model.threshold_source``
    says so.

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
        for key, source in ((self.key, None), (f"label_free_{self.key}", MAPS_ALONE)):
            found = [value for name, value in (metrics or {}).items() if name.rpartition("/")[2] == key]
            if found:
                self._write(runner, float(found[0]), source)
                self._chosen = True
                return

    @staticmethod
    def _write(runner: Runner, threshold: float, source: str | None = None) -> None:
        models = [runner.model.module if is_model_wrapper(runner.model) else runner.model]
        models += [hook.ema_model.module for hook in runner.hooks if hasattr(hook, "ema_model")]
        for model in models:
            buffer = getattr(model, "chosen_threshold", None)
            if buffer is not None:
                buffer.fill_(threshold)
                model.threshold_source = source
