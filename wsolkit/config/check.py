"""Compares a configuration with what its components take, before anything is built."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

import mmengine.registry as engine
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.runner import LogProcessor, Runner, ValLoop
from torch.utils.data import DataLoader

from wsolkit import registry
from wsolkit.config.numbers import check_numbers
from wsolkit.errors import ConfigError, nearest
from wsolkit.registry import check_arguments

__all__ = ["TOP", "arguments_at", "check_config", "named_arguments", "takes"]

OURS = ("data_root", "weights", "classes", "custom_imports", "compile", "env_cfg", "model_wrapper_cfg", "sync_bn")
ENGINE = ("find_unused_parameters", "activation_checkpointing", "efficient_conv_bn_eval")
RUNNER = tuple(name for name in inspect.signature(Runner).parameters if name not in ("cfg", "self"))
TOP = frozenset((*RUNNER, *OURS, *ENGINE))
LOADER = ("dataset", "sampler", "batch_sampler", "collate_fn", "worker_init_fn", "num_batch_per_epoch")
PARTS: dict[str, Registry] = {
    "backbone": registry.BACKBONES,
    "head": registry.HEADS,
    "losses": registry.LOSSES,
    "modifiers": registry.MODIFIERS,
    "cam_method": registry.CAM_METHODS,
    "box_extractor": registry.BOX_EXTRACTORS,
    "extractor": registry.BOX_EXTRACTORS,
    "data_preprocessor": registry.MODELS,
    "pooling": registry.POOLINGS,
    "dataset": registry.DATASETS,
    "datasets": registry.DATASETS,
    "pipeline": registry.TRANSFORMS,
    "sampler": registry.DATA_SAMPLERS,
    "optimizer": engine.OPTIMIZERS,
}
"""The registry that the component under a key comes from, wherever the key stands."""

FILLED: dict[str, tuple[str, ...]] = {
    registry.HEADS.name: ("channels", "num_classes"),
    registry.MODIFIERS.name: ("channels",),
    registry.DATA_SAMPLERS.name: ("dataset", "seed", "sampler", "batch_size"),
    engine.OPTIMIZERS.name: ("params",),
    engine.PARAM_SCHEDULERS.name: ("optimizer", "epoch_length"),
    engine.OPTIM_WRAPPERS.name: ("optimizer",),
    registry.LOOPS.name: ("runner", "dataloader", "evaluator"),
    engine.VISUALIZERS.name: ("name", "save_dir"),
    engine.VISBACKENDS.name: ("save_dir",),
}
"""Arguments that are filled in when a component is built, by registry."""

EXTRA: dict[str, tuple[str, ...]] = {
    registry.LOSSES.name: ("weight", "name"),
    registry.MODIFIERS.name: ("at",),
    registry.HOOKS.name: ("priority",),
    engine.PARAM_SCHEDULERS.name: ("convert_to_iter_based",),
    engine.OPTIM_WRAPPERS.name: ("constructor", "paramwise_cfg"),
    engine.VISUALIZERS.name: ("name",),
}
"""Keys that the builder takes out before the component sees its arguments, by registry."""


def parameters_of(component: Any) -> list[str]:
    """Return the names of a component's arguments; for a class that takes any, also those of its parents."""
    parameters = inspect.signature(component).parameters.values()
    names = [item.name for item in parameters if item.kind not in (item.VAR_KEYWORD, item.VAR_POSITIONAL)]
    if any(item.kind is item.VAR_KEYWORD for item in parameters):
        names.append("**")
    return names


def named_arguments(home: Registry, config: Mapping[str, Any]) -> set[str] | None:
    """Return what the component that a configuration names takes by name, or None where it is unknown.

    Where a class passes on whatever it is given, the arguments of its parents count as well.
    """
    component = component_of(home, config)
    if component is None:
        return None
    names: set[str] = {"type", "_scope_", *EXTRA.get(home.name, ())}
    for cls in inspect.getmro(component) if isinstance(component, type) else (component,):
        if cls is component or "__init__" in vars(cls):
            found = parameters_of(cls)
            names.update(found)
            if "**" not in found:
                break
    return names - {"**"}


def component_of(home: Registry, config: Mapping[str, Any]) -> Any:
    """Return the class a configuration names, or None where it is unknown or not named."""
    kind = config.get("type")
    if kind is None:
        return None
    if not isinstance(kind, str):
        return kind
    if home.scope == "mmengine":
        return home.get(kind)
    try:
        return home.get(kind)
    except ConfigError:
        return None


def takes(home: Registry, config: Mapping[str, Any], argument: str) -> bool:
    """Whether the component a configuration names has an argument of that name."""
    component = component_of(home, config)
    return component is not None and argument in parameters_of(component)


def home_of(path: tuple[str, ...], config: Mapping[str, Any]) -> Registry | None:
    """Return the registry of the component at a place of the configuration, or None where that is not known."""
    names = [name for name in path if not name.isdigit()]
    if not names:
        return None
    top, last = names[0], names[-1]
    if path == ("model",):
        return registry.MODELS
    if top in ("default_hooks", "custom_hooks") and len(path) == 2:
        return registry.HOOKS
    if top in ("val_evaluator", "test_evaluator") and last not in PARTS:
        return registry.METRICS if "metrics" not in config else engine.EVALUATOR
    if top == "param_scheduler" and len(names) == 1:
        return engine.PARAM_SCHEDULERS
    if path == ("optim_wrapper",):
        return engine.OPTIM_WRAPPERS
    if top in ("train_cfg", "val_cfg", "test_cfg") and len(path) == 1:
        return registry.LOOPS
    if last == "visualizer":
        return engine.VISUALIZERS
    if last == "vis_backends":
        return engine.VISBACKENDS
    if last in PARTS:
        return PARTS[last]
    return searched(config)


def searched(config: Mapping[str, Any]) -> Registry | None:
    """Return the one registry that knows the type a nested configuration names, or None."""
    kind = config.get("type")
    homes = {id(home): home for home in PARTS.values()}.values()
    found = [home for home in homes if isinstance(kind, str) and component_of(home, config) is not None]
    return found[0] if len(found) == 1 else None


def plain_arguments(path: tuple[str, ...], config: Mapping[str, Any]) -> list[str] | None:
    """Return the keys a configuration without ``type`` may have, or None where any is allowed."""
    last = path[-1] if path else ""
    if not path:
        return sorted(TOP | set(config))
    if len(path) > 1:
        return None
    if last == "train_cfg":
        names = parameters_of(registry.LOOPS.get("EpochLoop"))
        if not config.get("by_epoch", True):
            names = ["max_iters", *names]
        return ["by_epoch", *[name for name in names if name not in ("runner", "dataloader", "**")]]
    if last in ("val_cfg", "test_cfg"):
        return [name for name in parameters_of(ValLoop) if name not in ("runner", "dataloader", "evaluator")]
    if last == "env_cfg":
        return ["cudnn_benchmark", "mp_cfg", "dist_cfg", "resource_limit"]
    if last == "randomness":
        return ["seed", "deterministic", "diff_rank_seed"]
    if last == "log_processor":
        return parameters_of(LogProcessor)
    if last == "auto_scale_lr":
        return ["base_batch_size", "enable"]
    if last == "optim_wrapper":
        wrapper = engine.OPTIM_WRAPPERS.get("OptimWrapper")
        return ["type", "optimizer", "constructor", "paramwise_cfg", *parameters_of(wrapper)]
    if last.endswith("_dataloader"):
        return [*LOADER, *parameters_of(DataLoader)]
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
    """Compare every component of a configuration with its signature.

    Raises:
        ConfigError: a key at the top is misspelt, a component or an argument is unknown, or a number is out of range.
    """
    for key in config:
        close = difflib.get_close_matches(key, sorted(TOP), n=1, cutoff=0.85)
        if key not in TOP and not key.startswith("_") and close:
            raise ConfigError(f"The configuration sets {key!r}, which nothing reads. Did you mean {close[0]!r}?")
    for key in config:
        if key in TOP:
            check_node((key,), config[key])
    check_numbers(config)


def check_node(path: tuple[str, ...], node: Any) -> None:
    """Check a part of a configuration and everything in it.

    Raises:
        ConfigError: as ``check_config``, with the place.
    """
    if isinstance(node, (list, tuple)):
        for number, item in enumerate(node):
            check_node((*path, str(number)), item)
        return
    if not isinstance(node, Mapping):
        return
    if "type" in node:
        check_component(path, node)
    else:
        known = plain_arguments(path, node)
        for key in node:
            if known is not None and key not in known:
                raise ConfigError(f"{'.'.join(path)} takes no {key!r}. {nearest(key, known)}")
    for key, value in node.items():
        check_node((*path, str(key)), value)


def check_component(path: tuple[str, ...], node: Mapping[str, Any]) -> None:
    """Check one component against its signature.

    Raises:
        ConfigError: it is unknown, or takes no such argument; with the place.
    """
    home = home_of(path, node)
    if home is None:
        return
    given = {key: value for key, value in node.items() if key not in EXTRA.get(home.name, ())}
    filled = [key for key in FILLED.get(home.name, ()) if takes(home, node, key)]
    try:
        check_arguments(given, home, filled)
    except ConfigError as error:
        raise ConfigError(f"{'.'.join(path)}: {error}") from None
