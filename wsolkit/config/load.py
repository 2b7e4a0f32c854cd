"""Loads a configuration: finds the file, applies options, hands values down, and checks everything before use."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict, DictAction

from wsolkit.config.check import check_config, check_options, takes
from wsolkit.config.find import find_config
from wsolkit.config.read import read_config
from wsolkit.errors import ConfigError
from wsolkit.registry import BACKBONES, DATASETS, FUNCTIONS, HEADS

__all__ = ["config_name", "fill_classes", "load_config", "parse_options", "prepare_config", "unfreeze_random"]

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
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


def load_config(name_or_path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Load a configuration by path or by name, complete and checked.

    Args:
        name_or_path: a file, or the name of a shipped configuration (``wsolkit list configs``).
        options: values by dotted name that replace the file's, such as ``{"train_cfg.max_epochs": 3}``.

    Returns:
        The resolved configuration. ``data_root`` and ``weights`` at the top are handed down to the data sets and to
        the backbone; ``model.head.num_classes`` may still be missing, see ``fill_classes``.

    Raises:
        ConfigError: file, name, option, component or argument is unknown, with the nearest known ones.
    """
    return prepare_config(read_config(find_config(name_or_path)), options)


def prepare_config(config: Config, options: Mapping[str, Any] | None = None) -> Config:
    """Apply options to a configuration, hand values down and check it; see ``load_config``."""
    options = deepcopy(dict(options or {}))  # merging takes keys out of it
    config.setdefault("default_scope", "wsolkit")
    add_hooks(config)
    check_options(config, options)
    try:
        config.merge_from_dict(options)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"The options {options} do not fit the configuration: {error}") from None
    hand_down(config)
    end_schedules(config)
    name_functions(config)
    check_config(config)
    return config


def parse_options(texts: Sequence[str]) -> dict[str, Any]:
    """Turn ``KEY=VALUE`` texts of a command line into options: numbers, booleans, lists and tuples are understood.

    Raises:
        ConfigError: a text has no ``=``.

    >>> parse_options(["train_cfg.max_epochs=3", "model.losses.0.weight=0.5", "a=[1,2]", "b=None"])
    {'train_cfg.max_epochs': 3, 'model.losses.0.weight': 0.5, 'a': [1, 2], 'b': None}
    """
    for text in texts:
        if "=" not in text or text.startswith("="):
            raise ConfigError(f"An option is written KEY=VALUE, such as train_cfg.max_epochs=3, but got {text!r}.")
    parser = argparse.ArgumentParser()
    parser.add_argument("--options", nargs="*", action=DictAction, default={})
    return dict(parser.parse_args(["--options", *texts]).options) if texts else {}


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


def config_name(config: Config) -> str:
    """Return the name of a configuration: its ``experiment_name``, or as its file is called."""
    if config.get("experiment_name"):
        return str(config["experiment_name"])
    return Path(config.filename).stem if config.filename else "unnamed"


def hand_down(config: Config) -> None:
    """Give ``data_root`` to data sets and ``weights`` to the backbone where these have none of their own."""
    root = config.get("data_root")
    if root:
        for dataset in dataset_configs(config):
            if not dataset.get("data_root") and takes(DATASETS, dataset, "data_root"):
                dataset["data_root"] = root
    if config.get("weights") in ("", "none"):  # what "{{$WSOLKIT_WEIGHTS:none}}" gives where the variable is not set
        config["weights"] = None
    weights = config.get("weights")
    backbone = (config.get("model") or {}).get("backbone")
    if weights and isinstance(backbone, dict) and not backbone.get("weights"):
        if not takes(BACKBONES, backbone, "weights"):
            raise ConfigError(
                f"weights={weights!r} is for the backbone, but {backbone.get('type')} takes no weights. Leave it out."
            )
        backbone["weights"] = weights


def unfreeze_random(config: Config) -> None:
    """Freeze nothing in a backbone that starts from random weights, and say so."""
    model = config.get("model") or {}
    backbone = model.get("backbone")
    if not model.get("freeze") or not isinstance(backbone, dict) or not takes(BACKBONES, backbone, "weights"):
        return
    if not backbone.get("weights") and not backbone.get("pretrained"):
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


def dataset_configs(config: Config) -> Iterator[ConfigDict]:
    """Yield the configurations of all data sets, also of those inside wrappers."""
    for loader in LOADERS:
        yield from inner_configs((config.get(loader) or {}).get("dataset"))


def inner_configs(dataset: Any) -> Iterator[ConfigDict]:
    """Yield a data set's configuration and those it wraps."""
    if isinstance(dataset, dict):
        yield dataset
        yield from inner_configs(dataset.get("dataset"))
        for part in dataset.get("datasets") or ():
            yield from inner_configs(part)


def fill_classes(config: Config) -> Config:
    """Fill ``classes`` and ``model.head.num_classes`` from the training data where they are missing.

    The data set is built once for that. A resolved configuration therefore knows its classes without the data.

    Raises:
        ConfigError: the head needs ``num_classes`` and no data set says how many there are, or they contradict.
    """
    head = (config.get("model") or {}).get("head")
    needs = isinstance(head, dict) and takes(HEADS, head, "num_classes")
    if not config.get("classes"):
        dataset = (config.get("train_dataloader") or {}).get("dataset")
        if isinstance(dataset, dict):
            built = DATASETS.build(dataset)
            classes = built.metainfo.get("classes") if hasattr(built, "metainfo") else None
            if classes:
                config["classes"] = list(classes)
    names = config.get("classes")
    if not needs or not isinstance(head, dict):
        return config
    given = head.get("num_classes")
    if given is None:
        if not names:
            raise ConfigError(
                f"{head.get('type')} needs num_classes, but the training data names no classes. "
                "Set model.head.num_classes or classes=[...]."
            )
        head["num_classes"] = len(names)
    elif names and given != len(names):
        raise ConfigError(
            f"model.head.num_classes is {given}, but the training data has {len(names)} classes "
            f"({', '.join(map(str, names[:3]))}, ...). Leave num_classes out to follow the data."
        )
    return config
