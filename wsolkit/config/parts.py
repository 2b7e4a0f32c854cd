"""Which part a place of a configuration names, and which arguments the part takes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import mmengine.registry as engine
from mmengine.registry import Registry

from wsolkit import registry
from wsolkit.errors import ConfigError
from wsolkit.registry import ComponentRegistry, import_engine
from wsolkit.sources.signatures import signature_of, stand_in

__all__ = [
    "CLASS_FACTS",
    "EXTRA",
    "FILLED",
    "component_of",
    "engine_parameters",
    "home_of",
    "named_arguments",
    "parameters_of",
    "shown",
    "takes",
]

PARTS: dict[str, Registry] = {
    "backbone": registry.BACKBONES,
    "head": registry.HEADS,
    "losses": registry.LOSSES,
    "modifiers": registry.MODIFIERS,
    "batch_transforms": registry.BATCH_TRANSFORMS,
    "cam_method": registry.CAM_METHODS,
    "box_extractor": registry.BOX_EXTRACTORS,
    "extractor": registry.BOX_EXTRACTORS,
    "refiner": registry.REFINERS,
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
    registry.BATCH_TRANSFORMS.name: ("num_classes",),
    registry.DATA_SAMPLERS.name: ("dataset", "seed", "sampler", "batch_size"),
    engine.OPTIMIZERS.name: ("params",),
    engine.PARAM_SCHEDULERS.name: ("optimizer", "epoch_length"),
    engine.OPTIM_WRAPPERS.name: ("optimizer",),
    registry.LOOPS.name: ("runner", "dataloader", "evaluator"),
    engine.VISUALIZERS.name: ("name", "save_dir"),
    engine.VISBACKENDS.name: ("save_dir",),
}
"""Arguments that are filled in when a component is built, by registry."""

CLASS_FACTS = ("class_names", "class_groups")
"""Arguments that every part of a model is filled with from the training data, where it takes them."""

EXTRA: dict[str, tuple[str, ...]] = {
    registry.LOSSES.name: ("weight", "name"),
    registry.MODIFIERS.name: ("at",),
    registry.HOOKS.name: ("priority",),
    engine.PARAM_SCHEDULERS.name: ("convert_to_iter_based",),
    engine.OPTIM_WRAPPERS.name: ("constructor", "paramwise_cfg"),
    engine.VISUALIZERS.name: ("name",),
}
"""Keys that the builder takes out before the component sees its arguments, by registry."""

ENGINE_MODULES: dict[str, str] = {
    engine.HOOKS.name: "mmengine.hooks",
    engine.LOOPS.name: "mmengine.runner",
    engine.METRICS.name: "mmengine.evaluator",
    engine.DATASETS.name: "mmengine.dataset",
    engine.DATA_SAMPLERS.name: "mmengine.dataset",
    engine.OPTIMIZERS.name: "torch.optim",
    engine.OPTIM_WRAPPERS.name: "mmengine.optim",
    engine.PARAM_SCHEDULERS.name: "mmengine.optim",
    engine.VISUALIZERS.name: "mmengine.visualization",
    engine.VISBACKENDS.name: "mmengine.visualization",
    engine.EVALUATOR.name: "mmengine.evaluator",
}
"""The modules whose sources say what mmengine's parts take, by the names of mmengine's registries."""


def engine_parameters(path: str) -> list[str]:
    """Return the names of the arguments of a class of mmengine or torch, read from its source."""
    signature = signature_of(path)
    if signature is None:
        raise ConfigError(f"The source of {path} is not where it should be. Install mmengine and torch again.")
    return list(signature.parameters)


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
    if component is not None and "**" in parameters_of(component):
        component = component_of(home, config, source=False)
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


def shown(home: Registry, config: Mapping[str, Any]) -> Any:
    """Return what shows the signature of the class that a configuration names, where its source says it, or None."""
    kind = config.get("type")
    if not isinstance(kind, str):
        return None
    if isinstance(home, ComponentRegistry):
        if (found := home.stand_in(kind)) is not None or kind in home.module_dict:
            return found
        home = home if home.parent is None else home.parent  # an empty registry is false
    module = ENGINE_MODULES.get(home.name) if home.scope == "mmengine" and kind not in home.module_dict else None
    return stand_in(f"{module}:{kind}") if module else None


def component_of(home: Registry, config: Mapping[str, Any], source: bool = True) -> Any:
    """Return the class a configuration names, or None where it is unknown or not named.

    Args:
        home: where it is looked up.
        config: the configuration.
        source: whether what shows the signature will do, so that the class need not be imported.
    """
    kind = config.get("type")
    if kind is None:
        return None
    if not isinstance(kind, str):
        return kind if callable(kind) else None
    if source and (found := shown(home, config)) is not None:
        return found
    if home.scope == "mmengine":
        import_engine()
        return home.get(kind)
    try:
        return home.get(kind)
    except ConfigError:
        return None


def takes(home: Registry, config: Mapping[str, Any], argument: str) -> bool:
    """Whether the component a configuration names has an argument of that name."""
    component = component_of(home, config)
    return component is not None and argument in parameters_of(component)


def home_of(path: tuple[str, ...], config: Mapping[str, Any], sources: bool = False) -> Registry | None:
    """Return the registry of the component at a place of the configuration, or None where that is not known.

    Args:
        path: the place.
        config: what stands there.
        sources: look at sources alone, and import nothing.
    """
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
    return searched(config, sources)


def searched(config: Mapping[str, Any], sources: bool = False) -> Registry | None:
    """Return the one registry that knows the type a nested configuration names, or None."""
    kind = config.get("type")
    homes = list({id(home): home for home in PARTS.values()}.values())
    found = [home for home in homes if shown(home, config) is not None]
    if not found and not sources:
        found = [home for home in homes if isinstance(kind, str) and component_of(home, config) is not None]
    return found[0] if len(found) == 1 else None
