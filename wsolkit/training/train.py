"""Trains a model: the one place where mmengine's runner is built."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.dist import barrier, is_main_process, sync_random_seed
from mmengine.runner import Runner
from torch import Tensor

from wsolkit.config.classes import fill_classes
from wsolkit.config.data_root import naming_root
from wsolkit.config.hand_down import drop_seeds, inner_configs, places_of_seeds
from wsolkit.config.load import config_name, prepared, unfreeze_random
from wsolkit.config.parts import takes
from wsolkit.datasets.coverage import coverage_remarks
from wsolkit.datasets.reading import plain_worker_errors
from wsolkit.errors import ConfigError, DataError, WsolkitError
from wsolkit.files import disk_fails, path_below, write_text
from wsolkit.interrupts import the_interrupt
from wsolkit.lock import locked
from wsolkit.model.localizer import Localizer
from wsolkit.registry import DATASETS
from wsolkit.training.checkpoints import BEST, LAST, clear, kept, resumable
from wsolkit.training.console import quietly_built
from wsolkit.training.dry_run import no_trace_of_refusals, rehearse
from wsolkit.training.feature_cache import from_config
from wsolkit.training.manifest import write_manifest
from wsolkit.training.processes import SYNCED, process_group, wrapper_config
from wsolkit.training.runner import SafeRunner, bare, min_match
from wsolkit.training.trackers import asked_trackers, note_failure, start_trackers
from wsolkit.weights.checkpoint import check_weights, read_checkpoint
from wsolkit.weights.fitting import check_fit

__all__ = ["Training", "default_work_dir", "outcome", "train"]

ENGINE_HOOKS = ("runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint")
LOOPS = {"EpochBasedTrainLoop": "EpochLoop", "IterBasedTrainLoop": "IterationLoop"}
RUN_ONLY = ("resume", "launcher", "model_wrapper_cfg")
_runs = itertools.count()


@dataclass(frozen=True)
class Training:
    """What a training left behind.

    Attributes:
        work_dir: the folder of everything.
        last: the checkpoint a longer training can go on from, or None.
        best: the weights with the best validation, or None where nothing was monitored.
        metric: the monitored metric, or None.
        score: its best value, or None.
    """

    work_dir: Path
    last: Path | None
    best: Path | None
    metric: str | None
    score: float | None


def default_work_dir(config: Config) -> Path:
    """Return where a training goes if nobody says: the configuration's ``work_dir``, or ``work_dirs/NAME``.

    Raises:
        ConfigError: the name leads out of ``work_dirs``.
    """
    if config.get("work_dir"):
        return Path(config["work_dir"])
    name = config_name(config)
    try:
        return path_below("work_dirs", name)
    except DataError:
        raise ConfigError(
            f"experiment_name {name!r} is no name for a folder below work_dirs. Say where to write with --work-dir, or "
            "choose another name."
        ) from None


def train(
    config: Config,
    work_dir: str | Path | None = None,
    resume: bool | str | Path = False,
    seed: int | None = None,
    deterministic: bool = False,
    launcher: str = "none",
    overwrite: bool = False,
) -> Training:
    """Train as a configuration says, and leave checkpoints, logs, ``config.py`` and ``manifest.json`` in a folder.

    Args:
        config: what ``load_config`` returned; it is not changed.
        work_dir: the folder; ``work_dirs/NAME OF THE CONFIGURATION`` by default.
        resume: go on from ``last.pth`` of the folder (from the start if there is none), or from the given checkpoint.
        seed: seed of everything random; by default the configuration's ``randomness.seed``, or the checkpoint's.
        deterministic: use only operations that give the same bits every time, also on GPUs.
        launcher: ``pytorch`` under torchrun, else ``none``.
        overwrite: remove the checkpoints of an earlier training in the folder.

    Returns:
        Where the results are.

    Raises:
        WsolkitError: the configuration, the data or a checkpoint is wrong, earlier results are in the way, or the loss
            became NaN.
    """
    check_losses_given(config)
    trackers = asked_trackers(config)
    work_dir = Path(work_dir or default_work_dir(config)).absolute()
    with process_group(launcher), alone_in(work_dir), plain_worker_errors(), naming_root(config):
        source = starting_point(work_dir, resume, overwrite)
        checkpoint = resumable(source) if source else None
        start = str(config.get("load_from") or "")
        weights = starting_weights(start, work_dir if overwrite and not resume else None) if not source else {}
        name, own_seeds = config_name(config), places_of_seeds(config)
        config = complete(config, work_dir, checkpoint, seed, deterministic, launcher)
        if source is not None:
            config["load_from"] = str(source)
        with no_trace_of_refusals(work_dir):
            runner: Runner = quietly_built(lambda: SafeRunner.from_cfg(config))
            if checkpoint is not None:
                check_weights(bare(runner.model), checkpoint["state_dict"], source or "")
            elif start:
                check_fit(bare(runner.model), weights, min_match(config), origin=start)
            del checkpoint, weights
            rehearse(runner)
            cache = from_config(runner, config.get("feature_cache"))
            drop_seeds(runner.cfg, own_seeds)
            keep_record(runner, name, config["randomness"]["seed"], work_dir, source, start)
        if overwrite and not resume:  # only now: a mistake in the configuration or the data has lost nothing
            clear(work_dir)
        start_trackers(runner, trackers, work_dir, runner.cfg)
        if cache is not None:
            runner.register_hook(cache)
        run(runner)
        return outcome(work_dir)


def check_losses_given(config: Config) -> None:
    """Refuse to train a localizer that has nothing to learn from.

    Raises:
        ConfigError: it has no losses.
    """
    model = config.get("model") or {}
    if model.get("type") == Localizer.__name__ and not model.get("losses"):
        name = config_name(config)
        raise ConfigError(
            f"There is nothing to train: the model of {name} has no losses. Add model.losses=[dict(type=...)]. Where "
            f"nothing in it is to be trained, use it as it is: wsolkit test {name}, wsolkit predict {name} PHOTOS."
        )


def alone_in(work_dir: Path) -> AbstractContextManager[None]:
    """Keep other trainings out of a work folder, on the main process."""
    return locked(work_dir, "training") if is_main_process() else nullcontext()


def starting_point(work_dir: Path, resume: bool | str | Path, overwrite: bool) -> Path | None:
    """Return the checkpoint to go on from, or None for a fresh start; earlier results are never lost unasked.

    Raises:
        ConfigError: the folder holds earlier results, and neither ``resume`` nor ``overwrite`` was asked for.
    """
    last = work_dir / LAST
    if resume and not isinstance(resume, bool):
        return Path(resume)
    if resume:
        if not last.exists() and is_main_process():
            print(f"There is no {last} to resume from; the training starts from the beginning.")
        return last if last.exists() else None
    earlier = [path for path in (last, work_dir / BEST) if path.exists()]
    barrier()  # every process has looked before anything is written
    if earlier and not overwrite:
        raise ConfigError(
            f"{work_dir} holds an earlier training ({', '.join(path.name for path in earlier)}). Add --resume to go on "
            "with it, choose another --work-dir, or add --overwrite to lose it."
        )
    return None


def starting_weights(path: str, cleared: Path | None = None) -> Mapping[str, Tensor]:
    """Return the weights in the checkpoint that a training starts from; none without a path.

    Raises:
        CheckpointError: it cannot be read safely.
        ConfigError: it lies in the folder whose checkpoints are about to be removed.
    """
    if not path:
        return {}
    weights: Mapping[str, Tensor] = read_checkpoint(path)["state_dict"]
    if cleared is not None and Path(path).expanduser().resolve().parent == cleared.resolve():
        raise ConfigError(
            f"load_from={path} lies in the work folder, whose checkpoints --overwrite removes. Copy it elsewhere, or "
            "choose another --work-dir."
        )
    return weights


def complete(
    config: Config,
    work_dir: Path,
    checkpoint: Mapping[str, Any] | None,
    seed: int | None,
    deterministic: bool,
    launcher: str,
) -> Config:
    """Return the configuration as the runner takes it: classes, seed, loop and folder filled in."""
    name, config = config_name(config), prepared(config)
    config = Config(
        config.to_dict(),
        cfg_text=config.text or " ",
        filename=str(work_dir / "config.py"),
        format_python_code=False,  # else every checkpoint would wait for a code formatter
    )
    config = fill_classes(config)
    unfreeze_random(config)
    lacking = [key for key in ("train_cfg", "optim_wrapper", "train_dataloader", "model") if not config.get(key)]
    if lacking and config.get("stages"):
        raise ConfigError(f"The configuration {name!r} is a pipeline, not a training. Run it with `wsolkit pipeline`.")
    if lacking:
        raise ConfigError(
            f"A training needs train_cfg, optim_wrapper, train_dataloader and model, but the configuration {name!r} "
            f"lacks {', '.join(lacking)}. Add it, or build on a configuration in _base_."
        )
    earlier = next(_runs)  # mmengine keeps its loggers by name and second
    config["experiment_name"] = f"{name}_{earlier}" if earlier else name
    config["work_dir"] = str(work_dir)
    config["launcher"] = launcher
    config["resume"] = checkpoint is not None
    randomness = config.setdefault("randomness", ConfigDict())
    if seed is None and checkpoint is not None:
        seed = checkpoint["meta"].get("seed")
    if seed is None:
        seed = randomness.get("seed")
    randomness["seed"] = sync_random_seed() if seed is None else seed
    randomness["deterministic"] = bool(deterministic or randomness.get("deterministic"))
    for dataset in inner_configs(config["train_dataloader"].get("dataset")):
        if takes(DATASETS, dataset, "seed"):
            dataset.setdefault("seed", randomness["seed"])
    loop = config["train_cfg"]
    kind = loop.get("type") or ("EpochBasedTrainLoop" if loop.pop("by_epoch", True) else "IterBasedTrainLoop")
    loop["type"] = LOOPS.get(kind, kind)
    if loop["type"] == "IterationLoop":
        config.setdefault("log_processor", ConfigDict()).setdefault("by_epoch", False)
    hooks = config["default_hooks"]
    for unwanted in [key for key, hook in hooks.items() if hook is None and key not in ENGINE_HOOKS]:
        hooks.pop(unwanted)
    if launcher != "none" and config.get("model_wrapper_cfg") is None:
        sync_bn = config.pop("sync_bn", None)  # mmengine's own conversion would lose timm's activations
        config["model_wrapper_cfg"] = wrapper_config(bool(config.get("find_unused_parameters", False)), sync_bn)
    return config


def keep_record(runner: Runner, name: str, seed: int, work_dir: Path, source: Path | None, start: str) -> None:
    """Write the resolved configuration and the manifest, on the main process."""
    runner.cfg["experiment_name"] = name
    if (runner.cfg.get("model_wrapper_cfg") or {}).get("type") == SYNCED:
        runner.cfg["sync_bn"] = "torch"
    for key in RUN_ONLY:
        runner.cfg.pop(key, None)
    if source is not None:
        runner.cfg.pop("load_from")
    if start:
        runner.cfg["load_from"] = start  # with it, a backbone is frozen that has no weights of its own
    loops = {"train": runner.train_loop, "val": runner.val_loop}
    if runner.world_size > 1 and runner.val_loop is not None:
        for number, metric in enumerate(runner.val_loop.evaluator.metrics):
            if metric.collect_dir is None and metric.collect_device == "cpu":  # else it litters the current folder
                metric.collect_dir = str(work_dir / f".collect_{number}")
    datasets = {split: loop.dataloader.dataset for split, loop in loops.items() if loop is not None}
    check_same_classes(datasets)
    if is_main_process():
        for remark in (each for split in datasets for each in coverage_remarks(datasets[split], split)):
            warnings.warn(remark, stacklevel=2)
        text = Config(runner.cfg.to_dict()).pretty_text  # this one is for people: formatted
        write_text(work_dir / "config.py", text)
        write_manifest(work_dir, text, seed, datasets, None if source is None else str(source))


def check_same_classes(datasets: Mapping[str, Any]) -> None:
    """Compare the class lists of the splits: labels are places in them.

    Raises:
        DataError: they differ.
    """
    lists = {
        split: list((getattr(dataset, "metainfo", None) or {}).get("classes") or ())
        for split, dataset in datasets.items()
    }
    train, val = lists.get("train"), lists.get("val")
    if not train or not val or train == val:
        return
    only = [f"{name!r} (train only)" for name in train if name not in val]
    only += [f"{name!r} (val only)" for name in val if name not in train]
    what = f"they differ in {', '.join(only[:4])}" if only else "they name the same classes in another order"
    raise DataError(
        f"The training data has {len(train)} classes and the validation data {len(val)}: {what}. A label would mean "
        "another class in each. Give both the same classes=[...], or move folders that are no class out of data_root."
    )


def run(runner: Runner) -> None:
    """Run the training, and give terminal and log files back however it ends."""
    done = False
    try:
        runner.train()
        done = True
    except Exception as error:
        interrupt = the_interrupt(error)
        if interrupt is not None:
            raise interrupt from None
        if isinstance(error, OSError) and disk_fails(error):
            raise WsolkitError(
                f"{error.filename or runner.work_dir} cannot be written: {error.strerror}. {kept(runner)} Make room on "
                "the disk, and go on with --resume."
            ) from error
        raise
    finally:
        for hook in runner.hooks:
            if hasattr(hook, "stop"):
                hook.stop(runner)
        if not done:
            note_failure(runner)
            with suppress(OSError):  # the disk is full, and so it was before
                runner.visualizer.close()


def outcome(work_dir: Path) -> Training:
    """Return what a work folder holds."""
    last, best = work_dir / LAST, work_dir / BEST
    meta = read_checkpoint(best)["meta"] if best.exists() else {}
    return Training(
        work_dir=work_dir,
        last=last if last.exists() else None,
        best=best if best.exists() else None,
        metric=meta.get("best_key"),
        score=meta.get("best_score"),
    )
