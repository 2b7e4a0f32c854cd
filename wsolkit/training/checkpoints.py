"""Keeps ``last.pth`` and ``best.pth`` of a training, so that it can be killed at any moment and resumed exactly."""

from __future__ import annotations

import math
import warnings
from bisect import bisect
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import IterBasedTrainLoop, Runner

from wsolkit.arguments import Checked
from wsolkit.config.stored import STORED, config_text
from wsolkit.errors import CheckpointError, WsolkitError
from wsolkit.files import whole_file
from wsolkit.interrupts import interrupts_later
from wsolkit.training.accumulation import give_back, unfinished
from wsolkit.training.facts import training_facts
from wsolkit.training.manifest import note_weights
from wsolkit.training.monitored import MONITORED, find_score
from wsolkit.training.resumed import changed_settings
from wsolkit.training.runner import bare
from wsolkit.training.threshold import source_of_threshold
from wsolkit.weights.checkpoint import read_checkpoint
from wsolkit.weights.plain_copy import plain_copy
from wsolkit.weights.safetensors_files import SUFFIX

__all__ = ["BEST", "LAST", "Checkpoints"]

LAST = "last.pth"
BEST = "best.pth"
ATOMIC = "wsolkit_atomic"


class AtomicBackend(LocalBackend):
    """mmengine's local files, written completely or not at all."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes beside their place and move them there."""
        with whole_file(filepath) as temporary:
            temporary.write_bytes(obj)


register_backend(ATOMIC, AtomicBackend, force=True)


class Checkpoints(Checked, Hook):
    """Writes ``last.pth`` after every epoch and after validation, ``best.pth`` whenever the monitored metric improves.

    Files are written beside their place and moved there, so there is a complete ``last.pth`` at every moment. Weights
    that hold NaN or infinity are never written. A training that was killed between an epoch and its validation
    validates first when it is resumed.

    Beside ``best.pth`` lies ``best.safetensors``, and at the end ``last.safetensors`` beside ``last.pth``: weights and
    what prediction needs, without a pickle.

    Args:
        interval: epochs between two ``last.pth`` (the last epoch is always written).
        every_iterations: also write ``last.pth`` after every so many iterations, for long epochs; required for
            iteration-based training, where it defaults to 1000.
        keep_every: also keep ``epoch_N.pth`` (or ``iter_N.pth``) after every so many epochs (or iterations).
        monitor: the metric that decides about ``best.pth``; by default the first of top1_loc, MaxBoxAccV2, MaxBoxAcc,
            GT-known, PxAP, IoU, top1, mAP, accuracy that the validation returns.
        greater: whether larger is better.
        safetensors: whether to write the ``.safetensors`` files.

    Raises:
        ConfigError: a number is not positive, or the validation does not return the monitored metric.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        interval: Annotated[int, "at least 1"] = 1,
        every_iterations: Annotated[int, "at least 1"] | None = None,
        keep_every: Annotated[int, "at least 1"] | None = None,
        monitor: str | None = None,
        greater: bool = True,
        safetensors: bool = True,
    ) -> None:
        self.interval = interval
        self.every_iterations = every_iterations
        self.keep_every = keep_every
        self.monitor = monitor
        self.greater = greater
        self.safetensors = safetensors
        self.best_key: str | None = None
        self.best_score: float | None = None
        self.by_epoch = True
        self._loaded: dict[str, Any] = {}
        self._gradients: list[dict[str, torch.Tensor]] | None = None
        self._facts: dict[str, Any] = {}

    def after_load_checkpoint(self, _: Runner, checkpoint: dict) -> None:
        """Remember what the checkpoint says about itself, and the gradients of an update that was not finished."""
        self._loaded = checkpoint.get("meta", {})
        self._gradients = checkpoint.get("gradients")

    def before_save_checkpoint(self, _: Runner, checkpoint: dict) -> None:
        """Add the gradients of an update that is not finished, where the training may go on from the checkpoint."""
        if "optimizer" in checkpoint and self._gradients is not None:
            checkpoint["gradients"] = self._gradients

    def before_train(self, runner: Runner) -> None:
        """Read the best score so far from ``best.pth``, and make up for a validation that was cut off.

        Raises:
            CheckpointError: the training that is resumed had other data, batches or processes.
        """
        self.by_epoch = not isinstance(runner.train_loop, IterBasedTrainLoop)
        if not self.by_epoch and self.every_iterations is None:
            self.every_iterations = 1000
        self._facts = training_facts(runner)
        if runner.iter == 0:
            note_weights(runner.work_dir, bare(runner.model))
            return
        check_same_course(self._loaded, course(runner))
        if is_main_process() and (changed := changed_settings(self._loaded, runner.cfg)):
            warnings.warn(changed, stacklevel=1)
        give_back(runner, self._gradients)
        best = Path(runner.work_dir) / BEST
        self._copy(Path(runner.work_dir) / LAST, wanted=False)  # it would become older than last.pth
        if best.exists():
            meta = read_checkpoint(best).get("meta", {})
            self.best_key, self.best_score = meta.get("best_key"), meta.get("best_score")
            self._copy(best)
        if self._loaded.get("validation_pending") and runner.val_loop is not None:
            runner.logger.info("The training was stopped before a validation; it is done now.")
            runner.val_loop.run()

    def after_train_iter(self, runner: Runner, **_: Any) -> None:
        """Write ``last.pth`` within an epoch where ``every_iterations`` says so."""
        done = runner.iter + 1
        if self.every_iterations is None or (self.by_epoch and done % len(runner.train_dataloader) == 0):
            return
        due = done % self.every_iterations == 0 or (not self.by_epoch and done == runner.max_iters)
        if due:
            self._save(runner, LAST, epoch=runner.epoch, iteration=done, pending=iteration_validates(runner, done))
        if not self.by_epoch and self.keep_every and done % self.keep_every == 0:
            self._save(runner, f"iter_{done}.pth", epoch=runner.epoch, iteration=done, pending=False)

    def after_train_epoch(self, runner: Runner) -> None:
        """Write ``last.pth`` before the validation, so that a crash in it loses nothing."""
        if not self.by_epoch:
            return
        epoch = runner.epoch + 1  # the loop counts it only after this
        due = self.every_iterations is not None and runner.iter % self.every_iterations == 0
        if due or epoch % self.interval == 0 or epoch == runner.max_epochs:
            self._save(runner, LAST, epoch, runner.iter, pending=epoch_validates(runner, epoch))
        if self.keep_every and epoch % self.keep_every == 0:
            self._save(runner, f"epoch_{epoch}.pth", epoch, runner.iter, pending=False)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write ``best.pth`` if the monitored metric improved, and ``last.pth`` with the validation done."""
        if not is_training(runner):
            return
        score = self._better(runner, metrics or {})
        if score is not None:
            self.best_score = score
            self._save(runner, BEST, runner.epoch, runner.iter, pending=False, optimizer=False)
            runner.logger.info(f"Best {self.best_key} so far: {score:.4f}, kept in {BEST}.")
        self._save(runner, LAST, runner.epoch, runner.iter, pending=False)

    def after_train(self, runner: Runner) -> None:
        """Write ``last.safetensors``."""
        self._copy(Path(runner.work_dir) / LAST)

    def _copy(self, checkpoint: Path, wanted: bool = True) -> None:
        if not is_main_process():
            return
        if wanted and self.safetensors and checkpoint.exists():
            plain_copy(checkpoint)
        else:
            checkpoint.with_suffix(SUFFIX).unlink(missing_ok=True)

    def _better(self, runner: Runner, metrics: Mapping[str, Any]) -> float | None:
        found = find_score(metrics, self.monitor)
        if found is None:
            runner.logger.warning(no_best(metrics))
            return None
        self.best_key, score = found
        if math.isnan(score):
            return None
        if self.best_score is None or (score > self.best_score if self.greater else score < self.best_score):
            return score
        return None

    def _save(
        self, runner: Runner, name: str, epoch: int, iteration: int, pending: bool, optimizer: bool = True
    ) -> None:
        refuse_broken_weights(runner)
        meta = {
            "epoch": epoch,
            "iter": iteration,
            "validation_pending": pending,
            "best_key": self.best_key,
            "best_score": self.best_score,
            "classes": list(runner.cfg.get("classes") or ()),
            "training": self._facts,
            STORED: config_text(runner.cfg),
            **course(runner),
            **source_of_threshold(runner),
        }
        self._gradients = unfinished(runner) if optimizer else None
        with interrupts_later():
            runner.save_checkpoint(
                runner.work_dir,
                name,
                save_optimizer=optimizer,
                save_param_scheduler=optimizer and runner.param_schedulers is not None,
                meta=meta,
                backend_args={"backend": ATOMIC},
            )
            if name == BEST:
                self._copy(Path(runner.work_dir) / name)


def no_best(metrics: Mapping[str, Any]) -> str:
    """Say why the validation tells nothing about the best weights.

    >>> no_best({"images": 7})[-96:]
    'is among the metrics (images). Name one with default_hooks.checkpoint.monitor; last.pth is kept.'
    """
    if not metrics:
        return (
            f"The validation gives no numbers, since its images have no boxes and the model names no classes. So no "
            f"{BEST} is chosen; take {LAST}, which is always kept."
        )
    return (
        f"No {BEST} is kept: none of {', '.join(MONITORED)} is among the metrics ({', '.join(metrics)}). Name one with "
        f"default_hooks.checkpoint.monitor; {LAST} is kept."
    )


def course(runner: Runner) -> dict[str, Any]:
    """Return what must stay the same for a resumed training to see the data it would have seen."""
    data = {"processes": runner.world_size, "iterations_per_epoch": len(runner.train_dataloader)}
    classes = (getattr(runner.train_dataloader.dataset, "metainfo", None) or {}).get("classes")
    return {**data, "classes": list(classes)} if classes else data


def check_same_course(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare a checkpoint's course with that of the training that resumes from it.

    Raises:
        CheckpointError: they differ.
    """
    for key, value in now.items():
        if before.get(key, value) != value and key == "classes":
            raise CheckpointError(
                f"The checkpoint was written by a training with the classes {', '.join(before[key])}, but the data has "
                f"{', '.join(value)} now, so a label would mean another class. Resume with the same class folders, or "
                "start a new training."
            )
        if before.get(key, value) != value:
            raise CheckpointError(
                f"The checkpoint was written by a training with {before[key]} {key.replace('_', ' ')}, but there are "
                f"{value} now. Resume with the same data, batch size and number of processes, or start a new training "
                "from its weights with --cfg-options load_from=CHECKPOINT."
            )


def is_training(runner: Runner) -> bool:
    """Whether the validation runs within a training, not alone."""
    return runner.message_hub.get_info("max_iters", 0) > 0


def epoch_validates(runner: Runner, epoch: int) -> bool:
    """Whether the epoch-based loop will validate after this epoch, counted from 1."""
    loop = runner.train_loop
    if runner.val_loop is None or epoch < loop.val_begin:
        return False
    interval = loop.dynamic_intervals[bisect(loop.dynamic_milestones, epoch + 1) - 1]
    return epoch % interval == 0 or epoch == loop.max_epochs


def iteration_validates(runner: Runner, iteration: int) -> bool:
    """Whether the iteration-based loop will validate after this iteration, counted from 1."""
    loop = runner.train_loop
    if runner.val_loop is None or not isinstance(loop, IterBasedTrainLoop) or iteration < loop.val_begin:
        return False
    interval = loop.dynamic_intervals[bisect(loop.dynamic_milestones, iteration + 1) - 1]
    return iteration % interval == 0 or iteration == loop.max_iters


@torch.no_grad()
def refuse_broken_weights(runner: Runner) -> None:
    """Stop before weights with NaN or infinity replace good ones.

    Raises:
        WsolkitError: a parameter is not finite.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    parameters = [parameter.detach() for parameter in model.parameters() if parameter.is_floating_point()]
    if not parameters or bool(torch.isfinite(torch.stack(torch._foreach_norm(parameters, math.inf))).all()):
        return
    broken = next(name for name, parameter in model.named_parameters() if not torch.isfinite(parameter).all())
    raise WsolkitError(
        f"After iteration {runner.iter} the weights hold NaN or infinity ({broken} first), so they are not saved. "
        f"{kept(runner)} Lower the learning rate, clip gradients (optim_wrapper.clip_grad) or train with --no-amp."
    )


def kept(runner: Runner) -> str:
    """Say which checkpoint is still good."""
    last = Path(runner.work_dir) / LAST
    if last.exists():
        return f"{last} is intact."
    return "No checkpoint was written yet."


def resumable(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint a training can go on from.

    Raises:
        CheckpointError: it cannot be read, or holds weights only.
    """
    checkpoint = read_checkpoint(path)
    missing = [key for key in ("optimizer", "meta", "message_hub") if key not in checkpoint]
    wrong = [key for key in ("optimizer", "message_hub") if not isinstance(checkpoint.get(key), dict)]
    meta = checkpoint.get("meta") or {}
    wrong += [f"meta.{key}" for key in ("epoch", "iter") if type(meta.get(key)) is not int or meta[key] < 0]
    wrong += [f"meta.{key}" for key in ("seed",) if type(meta.get(key)) not in (int, type(None))]
    if missing or wrong:
        what = f"it lacks {', '.join(missing)} ({BEST} holds weights only)" if missing else f"its {wrong[0]} is damaged"
        raise CheckpointError(
            f"The checkpoint {path} cannot be resumed from: {what}. "
            f"Resume from {LAST}, or start from its weights with --cfg-options load_from={path}."
        )
    return checkpoint


def clear(work_dir: Path) -> None:
    """Remove the checkpoints of an earlier training, on the main process."""
    if is_main_process():
        for pattern in (LAST, BEST, "epoch_*.pth", "iter_*.pth", f"last{SUFFIX}", f"best{SUFFIX}"):
            for path in work_dir.glob(pattern):
                path.unlink(missing_ok=True)
