"""Compares a configuration with what its components take, before anything is built.

What the sources of the components say is compared first, so that most mistakes are refused before torch is imported;
then what only the classes know.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

from wsolkit import registry
from wsolkit.config.numbers import check_numbers
from wsolkit.config.parts import (
    CLASS_FACTS,
    EXTRA,
    FILLED,
    component_of,
    engine_parameters,
    home_of,
    parameters_of,
    shown,
    takes,
)
from wsolkit.errors import ConfigError, nearest
from wsolkit.registry import ComponentRegistry, check_arguments, check_path

__all__ = ["TOP", "arguments_at", "check_config", "check_sources"]

OURS = (
    "data_root",
    "labels",
    "background",
    "weights",
    "classes",
    "custom_imports",
    "compile",
    "env_cfg",
    "model_wrapper_cfg",
    "sync_bn",
    "feature_cache",
    "track",
)
FEATURES = ("folder", "most_gb", "level", "evaluate", "shared")
ENGINE = ("find_unused_parameters", "activation_checkpointing", "efficient_conv_bn_eval")
RUNNER = "mmengine.runner.runner:Runner"
LOADER = ("dataset", "sampler", "batch_sampler", "collate_fn", "worker_init_fn", "num_batch_per_epoch")
TOP = frozenset({*engine_parameters(RUNNER), *OURS, *ENGINE} - {"cfg"})
"""What may stand at the top of a configuration."""


def plain_arguments(path: tuple[str, ...], config: Mapping[str, Any]) -> list[str] | None:
    """Return the keys a configuration without ``type`` may have, or None where any is allowed."""
    last = path[-1] if path else ""
    if not path:
        return sorted(TOP | set(config))
    if len(path) > 1:
        return None
    if last == "train_cfg":
        names = engine_parameters("mmengine.runner.loops:EpochBasedTrainLoop")
        if not config.get("by_epoch", True):
            names = ["max_iters", *names]
        return ["by_epoch", *[name for name in names if name not in ("runner", "dataloader", "**")]]
    if last in ("val_cfg", "test_cfg"):
        return [
            name
            for name in engine_parameters("mmengine.runner.loops:ValLoop")
            if name not in ("runner", "dataloader", "evaluator")
        ]
    if last == "env_cfg":
        return ["cudnn_benchmark", "mp_cfg", "dist_cfg", "resource_limit"]
    if last == "feature_cache":
        return list(FEATURES)
    if last == "randomness":
        return ["seed", "deterministic", "diff_rank_seed"]
    if last == "log_processor":
        return engine_parameters("mmengine.runner.log_processor:LogProcessor")
    if last == "auto_scale_lr":
        return ["base_batch_size", "enable"]
    if last == "optim_wrapper":
        wrapper = engine_parameters("mmengine.optim.optimizer.optimizer_wrapper:OptimWrapper")
        return ["type", "optimizer", "constructor", "paramwise_cfg", *wrapper]
    if last.endswith("_dataloader"):
        return [*LOADER, *engine_parameters("torch.utils.data.dataloader:DataLoader")]
    return None


def arguments_at(path: tuple[str, ...], config: Mapping[str, Any]) -> list[str] | None:
    """Return what may stand in a configuration at a place, or None where anything may."""
    if path and "type" in config:
        home = home_of(path, config)
        component = None if home is None else component_of(home, config)
        if home is None or component is None:
            return None
        names = parameters_of(component)
        if "**" in names:
            return None
        hidden = [name for name in FILLED.get(home.name, ()) if home is registry.LOOPS]
        return ["type", *EXTRA.get(home.name, ()), *[name for name in names if name not in hidden]]
    return plain_arguments(path, config)


def check_config(config: Config) -> None:
    """Compare every component of a configuration with the signature of its class.

    Raises:
        ConfigError: a component or an argument is unknown, or one is missing.
    """
    for key in config:
        if key in TOP:
            check_node((key,), config[key])


def check_sources(config: Config) -> None:
    """Compare a configuration with what the sources of its components say, before these are imported.

    What is missing may still be handed down.

    Raises:
        ConfigError: a key at the top is misspelt, a component or an argument is unknown, or a number is out of range.
    """
    for key in config:
        close = difflib.get_close_matches(key, sorted(TOP), n=1, cutoff=0.85)
        if key not in TOP and not key.startswith("_") and close:
            raise ConfigError(f"The configuration sets {key!r}, which nothing reads. Did you mean {close[0]!r}?")
    for key in config:
        if key in TOP:
            check_node((key,), config[key], sources=True)
    check_numbers(config)


def check_node(path: tuple[str, ...], node: Any, sources: bool = False) -> None:
    """Check a part of a configuration and everything in it.

    Args:
        path: its place.
        node: what stands there.
        sources: as far as the sources of the components go.

    Raises:
        ConfigError: as ``check_config``, with the place.
    """
    if isinstance(node, (list, tuple)):
        for number, item in enumerate(node):
            check_node((*path, str(number)), item, sources)
        return
    if not isinstance(node, Mapping):
        return
    if "type" in node:
        check_component(path, node, sources)
    else:
        known = plain_arguments(path, node)
        for key in node:
            if known is not None and key not in known:
                raise ConfigError(f"{'.'.join(path)} takes no {key!r}. {nearest(key, known)}")
    for key, value in node.items():
        check_node((*path, str(key)), value, sources)


def check_component(path: tuple[str, ...], node: Mapping[str, Any], sources: bool = False) -> None:
    """Check one component against its signature.

    Raises:
        ConfigError: it is unknown, or takes no such argument; with the place.
    """
    kind = node["type"]
    home = home_of(path, node, sources)
    dotted = isinstance(kind, str) and "." in kind.removeprefix(f"{registry.SCOPE}.")
    if dotted and not (isinstance(home, ComponentRegistry) and home.knows(kind)):
        try:
            check_path(kind, functions=path[-1] in ("collate_fn", "worker_init_fn"))
        except ConfigError as error:
            raise ConfigError(f"{'.'.join(path)}: {error}") from None
    seen = shown(home, node) if sources and home is not None else None
    if home is None or (sources and seen is None and not is_unknown(home, node)):
        return
    given = {key: value for key, value in node.items() if key not in EXTRA.get(home.name, ())}
    facts = CLASS_FACTS if path[0] == "model" else ()
    filled = [key for key in (*FILLED.get(home.name, ()), *facts) if takes(home, node, key)]
    later = [] if seen is None else [key for key in inspect.signature(seen).parameters if key not in given]
    try:
        check_arguments(given, home, [*filled, *later], seen)
    except ConfigError as error:
        raise ConfigError(f"{'.'.join(path)}: {error}") from None


def is_unknown(home: Registry, config: Mapping[str, Any]) -> bool:
    """Whether no part has the name that a configuration gives, as far as that can be told without imports."""
    kind = config.get("type")
    if not isinstance(home, ComponentRegistry) or home.parent is not None or not isinstance(kind, str):
        return False
    return not home.knows(kind) and kind.removeprefix(f"{home.scope}.") not in home.names()
