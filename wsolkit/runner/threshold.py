"""Keeps the box threshold that the validation chose with the weights it was chosen for."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

__all__ = ["ThresholdHook"]


class ThresholdHook(Hook):
    """Writes the validation's ``threshold`` into ``model.chosen_threshold``, before checkpoints are written.

    Args:
        key: name of the metric, with or without its prefix.
    """

    priority = "LOW"

    def __init__(self, key: str = "threshold") -> None:
        self.key = key

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Set the buffer of the model, and of its averaged copy where there is one."""
        found = [value for name, value in (metrics or {}).items() if name.rpartition("/")[2] == self.key]
        if not found:
            return
        models = [runner.model.module if is_model_wrapper(runner.model) else runner.model]
        models += [hook.ema_model.module for hook in runner.hooks if hasattr(hook, "ema_model")]
        for model in models:
            buffer = getattr(model, "chosen_threshold", None)
            if buffer is not None:
                buffer.fill_(float(found[0]))
