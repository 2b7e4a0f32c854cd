"""Loads a configuration: finds the file, applies options, hands values down, and checks everything before use."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from wsolkit.config.check import TOP, check_config, check_sources
from wsolkit.config.find import find_config
from wsolkit.config.hand_down import LOADERS, hand_down_extractor, hand_down_labels, hand_down_root, hand_down_weights
from wsolkit.config.kinds import check_kinds
from wsolkit.config.options import apply_options, dotted
from wsolkit.config.parts import takes
from wsolkit.config.read import check_computed, read_config
from wsolkit.errors import ConfigError
from wsolkit.registry import BACKBONES, FUNCTIONS

__all__ = ["config_name", "load_config", "prepared", "unfreeze_random"]

CHECKED = "_wsolkit_checked"
"""Where a configuration keeps what it held when it was checked."""

HOOKS = {
    "checkpoint": "Checkpoints",
    "seed_iterations": "SeedIterations",
    "training_progress": "TrainingProgress",
    "same_buffers": "SameBuffers",
    "broken_loss": "StopOnBrokenLoss",
    "history": "History",
    "threshold": "ThresholdHook",
    "corrupt_images": "CorruptImages",
    "progress_bar": "ProgressBar",
}
"""Hooks that every training has, by their names in ``default_hooks``."""

OF_READERS = ("persistent_workers", "prefetch_factor", "multiprocessing_context", "timeout")
"""What a data loader says of the processes that read for it."""


def load_config(name_or_path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Load a configuration by path or by name, complete and checked.

    Args:
        name_or_path: a file, or the name of a shipped configuration (``wsolkit list configs``).
        options: values by dotted name that replace the file's, such as ``{"train_cfg.max_epochs": 3}``.

    Returns:
        The resolved configuration. ``data_root``, ``labels`` and ``weights`` at the top are handed down to the data
        sets and to the backbone; ``model.head.num_classes`` may still be missing, see ``wsolkit.config.classes``.

    Raises:
        ConfigError: file, name, option, component or argument is unknown, with the nearest known ones.
    """
    path, options = find_config(name_or_path), dict(options or {})
    config = read_config(path)
    before = config.to_dict()
    variables = {
        name: value
        for name, value in options.items()
        if name in config and not isinstance(value, Mapping) and not isinstance(config[name], Mapping)
    }
    if variables:
        config = read_config(path, variables)
        helpers = {name: variables.pop(name) for name in set(variables) - TOP}
        check_computed(helpers, config, path)
        check_used(helpers, before, config.to_dict())
        options = {name: value for name, value in options.items() if name not in helpers}
    return prepare(config, options, before)


def check_used(helpers: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Compare a configuration with what it became with other values of its helper variables.

    Raises:
        ConfigError: nothing but the variables themselves has changed.
    """
    changed = {key for key in after.keys() | before.keys() if after.get(key) != before.get(key)}
    if changed and changed <= set(helpers):
        name = min(changed)
        places = [place for place in dotted(after) if place.rpartition(".")[2] == name]
        nearer = f" Did you mean {' or '.join(map(repr, places[:3]))}?" if places else ""
        raise ConfigError(f"The option {name} sets a variable that changes nothing else, so it has no effect.{nearer}")


def prepare(config: Config, options: Mapping[str, Any], before: Mapping[str, Any], resolved: bool = False) -> Config:
    """Apply options to a configuration, hand values down and check it.

    Args:
        config: as it was read.
        options: as of ``load_config``.
        before: what the file says without the options.
        resolved: whether it comes from a training, as one with a ``work_dir`` does.
    """
    check_kinds(config.to_dict())
    config.setdefault("default_scope", "wsolkit")
    add_hooks(config)
    apply_options(config, options)
    check_kinds(config.to_dict())
    check_sources(config)
    hand_down_root(config, before.get("data_root"), options, resolved or before.get("work_dir") is not None)
    hand_down_labels(config, before, options)
    hand_down_weights(config, before.get("weights"), options)
    hand_down_extractor(config, (before.get("model") or {}).get("box_extractor"))
    end_schedules(config)
    settle_readers(config)
    name_functions(config)
    check_config(config)
    object.__setattr__(config, CHECKED, config.to_dict())
    return config


def prepared(config: Config) -> Config:
    """Return a configuration complete and checked: as it is where ``load_config`` made it and nobody changed it.

    Raises:
        ConfigError: a component or an argument is unknown.
    """
    if vars(config).get(CHECKED) == config.to_dict():
        return config
    copy = Config(config.to_dict(), cfg_text=config.text or " ", filename=config.filename)
    return prepare(copy, {}, config.to_dict())


def add_hooks(config: Config) -> None:
    """Add the hooks that every training has; one that the configuration sets to None stays away."""
    if config.get("train_cfg") is None:
        return
    hooks = config.setdefault("default_hooks", ConfigDict())
    for name, kind in HOOKS.items():
        if name not in hooks:
            hooks[name] = {"type": kind}


def name_functions(config: Config) -> None:
    """Write functions of the data loaders with their scope: mmengine looks these up without one."""
    for loader in LOADERS:
        for key in ("collate_fn", "worker_init_fn"):
            function = (config.get(loader) or {}).get(key)
            kind = function.get("type") if isinstance(function, dict) else None
            if isinstance(kind, str) and "." not in kind:
                FUNCTIONS.get(kind)  # complains about an unknown name
                if kind in FUNCTIONS.module_dict and function is not None:
                    function["type"] = f"{FUNCTIONS.scope}.{kind}"


def settle_readers(config: Config) -> None:
    """Leave out what is said of the processes that read where there are none; torch refuses it there."""
    for name in LOADERS:
        loader = config.get(name)
        if isinstance(loader, dict) and loader.get("num_workers", 0) == 0:
            for key in OF_READERS:
                loader.pop(key, None)


def config_name(config: Config) -> str:
    """Return the name of a configuration: its ``experiment_name``, or as its file is called."""
    if config.get("experiment_name"):
        return str(config["experiment_name"])
    return Path(config.filename).stem if config.filename else "unnamed"


def unfreeze_random(config: Config) -> None:
    """Freeze nothing in a backbone that starts from random weights, and say so; ``load_from`` brings weights too."""
    model = config.get("model") or {}
    backbone = model.get("backbone")
    if not model.get("freeze") or not isinstance(backbone, dict) or not takes(BACKBONES, backbone, "weights"):
        return
    if not backbone.get("weights") and not backbone.get("pretrained") and not config.get("load_from"):
        warnings.warn(
            "The backbone has no pretrained weights, so model.freeze is left out and training starts from scratch. "
            "Give a weight file with weights=PATH.",
            stacklevel=2,
        )
        model["freeze"] = []


def end_schedules(config: Config) -> None:
    """Let a cosine schedule without ``end`` and ``T_max`` end with the training, whatever its length."""
    schedulers = config.get("param_scheduler") or []
    epochs = (config.get("train_cfg") or {}).get("max_epochs")
    for scheduler in schedulers if isinstance(schedulers, (list, tuple)) else [schedulers]:
        cosine = str(scheduler.get("type", "")).startswith("CosineAnnealing")
        if cosine and epochs and scheduler.get("by_epoch", True) and not {"end", "T_max"} & set(scheduler):
            begin = min(int(scheduler.get("begin", 0)), epochs - 1)
            scheduler.update(begin=begin, end=epochs, T_max=epochs - begin)
