"""A progress bar for people who watch the training; nothing where nobody does."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from wsolkit.progress import terminal_bar, watched

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["ProgressBar"]


class ProgressBar(Hook):
    """Shows epoch, iteration, loss and the time left on a terminal; quiet when the error output is a file or a pipe.

    Args:
        every: seconds between two updates.
    """

    priority = "LOWEST"

    def __init__(self, every: float = 0.2) -> None:
        self.every = every
        self.bar: Progress | None = None
        self.train_task: Any = None
        self.val_task: Any = None
        self._shown = 0.0

    def before_train(self, runner: Runner) -> None:
        """Start the bar on the main process, if somebody watches."""
        if not watched():
            return
        self.bar = terminal_bar(redirect_stdout=sys.stdout.isatty(), redirect_stderr=True)
        self.bar.start()
        self.train_task = self.bar.add_task(describe(runner), total=runner.max_iters, completed=runner.iter, note="")
        point_console(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Show which epoch it is."""
        if self.bar is not None:
            self.bar.update(self.train_task, description=describe(runner))

    def after_train_iter(self, runner: Runner, outputs: dict | None = None, **_: Any) -> None:
        """Move the bar, a few times a second at most."""
        now = time.monotonic()
        if self.bar is None or now - self._shown < self.every:
            return
        self._shown = now
        loss = (outputs or {}).get("loss")
        text = "" if loss is None else f"loss {float(loss.detach()):.4f}"
        self.bar.update(self.train_task, completed=runner.iter + 1, note=text)

    def before_val_epoch(self, runner: Runner) -> None:
        """Show a second bar for the validation."""
        if self.bar is not None:
            self.val_task = self.bar.add_task("validation", total=len(runner.val_dataloader), note="")

    def after_val_iter(self, _: Runner, batch_idx: int, **__: Any) -> None:
        """Move the validation's bar."""
        if self.bar is not None and self.val_task is not None:
            self.bar.update(self.val_task, completed=batch_idx + 1)

    def after_val_epoch(self, _: Runner, **__: Any) -> None:
        """Take the validation's bar away."""
        if self.bar is not None and self.val_task is not None:
            self.bar.remove_task(self.val_task)
            self.val_task = None

    def after_train(self, runner: Runner) -> None:
        """Take the bar away."""
        self.stop(runner)

    def stop(self, runner: Runner) -> None:
        """Give the terminal back; also called when the training fails."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
            point_console(runner)


def describe(runner: Runner) -> str:
    """Say where in the training the runner is."""
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        return "training"
    return f"epoch {min(runner.epoch + 1, runner.max_epochs)}/{runner.max_epochs}"


def point_console(runner: Runner) -> None:
    """Let the log print above the bar while there is one: on a terminal, rich stands in for ``sys.stdout`` then."""
    for handler in runner.logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(sys.stdout)
