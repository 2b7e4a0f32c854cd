"""What is tried before a training writes or removes anything: its parts, a batch, and the way to a box."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from wsolkit.datasets.shared_memory import fit_workers
from wsolkit.datasets.unseen import check_unseen
from wsolkit.errors import DataError
from wsolkit.files import whole_file
from wsolkit.interfaces import Loss, MapModifier
from wsolkit.model.label_kind import check_losses, is_multi_label, warn_of_maps
from wsolkit.model.localizer import Localizer
from wsolkit.registry import DATASETS

__all__ = ["no_trace_of_refusals", "rehearse"]

LOG_FOLDER = re.compile(r"\d{8}_\d{6}")


@contextmanager
def no_trace_of_refusals(work_dir: Path) -> Iterator[None]:
    """Put a work folder back where something is refused: building a runner writes ``config.py`` and a log folder."""
    config = work_dir / "config.py"
    before = config.read_bytes() if config.exists() else None
    known = set(work_dir.iterdir()) if work_dir.exists() else set()
    try:
        yield
    except BaseException:
        if is_main_process() and work_dir.exists():
            for path in set(work_dir.iterdir()) - known:
                if path == config:
                    path.unlink()
                elif LOG_FOLDER.fullmatch(path.name):
                    shutil.rmtree(path, ignore_errors=True)
            if before is not None and config.read_bytes() != before:
                with whole_file(config) as path:
                    path.write_bytes(before)
        raise


def rehearse(runner: Runner) -> None:
    """Prepare losses and modifiers, look for a first batch, open the log, and predict an image as the validation will.

    Raises:
        ConfigError, CheckpointError, ShapeError: parts of the model do not fit each other, or lack something.
        DataError: there is no batch to train on, or the first validation image cannot be read.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    for part in model.modules():
        if isinstance(part, (Loss, MapModifier)):
            part.prepare_training()
    check_batches(runner.train_loop.dataloader)
    check_judged(model, runner)
    check_losses(model, runner.train_loop.dataloader.dataset)
    warn_of_maps(getattr(model, "cam_method", None), is_multi_label(runner.train_loop.dataloader.dataset))
    for loop in (runner.train_loop, runner.val_loop):
        told = None if loop is None else fit_workers(loop.dataloader)
        if told is not None:
            runner.logger.warning(told)
    if is_main_process():
        for backend in getattr(runner.visualizer, "_vis_backends", {}).values():
            _ = backend.experiment  # opens it: a library may be missing
    if runner.val_loop is not None and len(runner.val_loop.dataloader.dataset):
        predict_one(model, runner.val_loop.dataloader, runner.val_loop.evaluator.metrics)


def check_judged(model: nn.Module, runner: Runner) -> None:
    """Refuse to train with boxes of images that are judged, or that epochs and thresholds are chosen on.

    Raises:
        DataError: val or test has an image of the training data.
    """
    if getattr(model, "trained_with", "labels") != "boxes":
        return
    judged = {} if runner.val_loop is None else {"val": runner.val_loop.dataloader.dataset}
    if settings := (runner.cfg.get("test_dataloader") or {}).get("dataset"):
        judged["test"] = DATASETS.build(settings)
    check_unseen(runner.train_loop.dataloader.dataset, judged)


def check_batches(loader: DataLoader) -> None:
    """Look for batches to train on.

    Raises:
        DataError: there is none.
    """
    if not len(loader):
        count, size = len(loader.dataset), loader.batch_size  # type: ignore[arg-type]
        raise DataError(
            f"The training data has {count} images, fewer than a batch of {size}, and incomplete batches are left out. "
            f"Lower train_dataloader.batch_size (and that of a loss that has one), or set "
            "train_dataloader.drop_last=False."
        )


@torch.no_grad()
def predict_one(model: nn.Module, loader: DataLoader, metrics: list[object]) -> None:
    """Let head, CAM method and box extractors meet on the first image of a data set; the model stays as it is."""
    if not isinstance(model, Localizer):
        return
    training = model.training
    batch = loader.collate_fn([loader.dataset[0]])
    found = model.eval().val_step(batch)[0]
    extractors = [getattr(metric, "extractor", None) for metric in metrics]
    score_map = torch.ones_like(found.maps[0]).float().cpu().numpy()  # never empty
    features = None if found.features is None else found.features.float().cpu().numpy()
    for extractor in (model.box_extractor, *extractors):
        if extractor is not None:
            extractor(score_map, features)
    model.train(training)
