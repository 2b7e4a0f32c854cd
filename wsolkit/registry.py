"""The registries: one per interface, and children of mmengine's own for everything mmengine builds.

mmengine imports ``<scope>.registry`` by name when it looks for the scope ``wsolkit``, so this module keeps its name.
The interface registries have no parent: mmengine accepts one child per parent and scope.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, TypeGuard

import mmengine.registry as engine
from mmengine.registry import Registry
from mmengine.utils import get_object_from_string

from wsolkit.arguments import annotations_of, check_values
from wsolkit.errors import ConfigError, nearest
from wsolkit.finder import find_parts

__all__ = [
    "BACKBONES",
    "BATCH_TRANSFORMS",
    "BOX_EXTRACTORS",
    "CAM_METHODS",
    "DATASETS",
    "DATA_SAMPLERS",
    "FUNCTIONS",
    "HEADS",
    "HOOKS",
    "LOOPS",
    "LOSSES",
    "METRICS",
    "MODELS",
    "MODEL_WRAPPERS",
    "MODIFIERS",
    "OPTIM_WRAPPER_CONSTRUCTORS",
    "POOLINGS",
    "PROTOCOLS",
    "REFINERS",
    "SCOPE",
    "STAGES",
    "TRANSFORMS",
    "ComponentRegistry",
    "check_arguments",
    "check_path",
    "import_engine",
]

SCOPE = "wsolkit"

LIBRARIES = {"torch", "torchvision", "timm", "mmengine", "wsolkit"}
"""Where the classes come from that parts derive from."""


class ComponentRegistry(Registry):
    """A registry that has its parts found at the first look-up and answers a misspelt name with the nearest one."""

    def import_from_location(self) -> None:
        """Let the plugins name their parts, once; then import the modules this registry was given."""
        find_parts()
        if self._locations:
            super().import_from_location()

    def get(self, key: str) -> Any:
        """Return the class registered under ``key``.

        Raises:
            ConfigError: no component has that name; the message offers the nearest names.
            PluginError: several plugins have a component of that name.
        """
        name = find_parts().filed_name(self.name, key)  # with the scope, mmengine would not ask the parent
        find_parts().file(self.name, name)
        if name in self.module_dict:  # mmengine would write to a logger, which needs torch
            return self.module_dict[name]
        found = super().get(name)
        if found is None and self.parent is not None:
            import_engine()
            found = super().get(name)
        if "." in name and name not in self.names():
            check_path(key)
        if found is None:
            remark = find_parts().remark().strip()
            raise ConfigError(f"There is no {self.name} named {key!r}. {nearest(key, self.names())} {remark}".strip())
        return found

    def stand_in(self, key: str) -> Callable[..., None] | None:
        """Return what shows the name and signature of a component that is not imported yet, or None."""
        name = find_parts().filed_name(self.name, key)
        return None if name in self.module_dict else find_parts().stand_in(self.name, name)

    def knows(self, key: Any) -> TypeGuard[str]:
        """Whether a component is called so, by its name or its long one."""
        return isinstance(key, str) and (key in find_parts().every_name(self.name) or key in self.names())

    def names(self) -> list[str]:
        """Return the names registered here and in the parent registries, sorted."""
        self.import_from_location()
        known = {*self.module_dict, *find_parts().names(self.name)}
        parent = self.parent
        if parent is not None:
            import_engine()
        while parent is not None:
            known |= set(parent.module_dict)
            parent = parent.parent
        return sorted(known)

    def build(self, cfg: Any, *args: Any, **kwargs: Any) -> Any:
        """Build a component from a configuration, or return an object that is built already.

        Raises:
            ConfigError: ``cfg`` has no ``type``, names an unknown component, or gives an argument it does not take.
        """
        if not isinstance(cfg, Mapping):
            if isinstance(cfg, (str, list, tuple, bool, int, float)) or cfg is None:
                article = "An" if self.name[0] in "aeiou" else "A"
                raise ConfigError(
                    f"{article} {self.name} is written as dict(type='NAME', ...), but got {cfg!r}. Write it so."
                )
            return cfg
        check_arguments(cfg, self)
        return super().build(cfg, *args, **kwargs)


def check_path(kind: str, functions: bool = False) -> None:
    """Look at what a ``type`` names by a path of Python, as ``package.module.Name``: mmengine would call anything.

    Args:
        kind: the path.
        functions: whether functions of the libraries of parts will do, as where batches are collated.

    Raises:
        ConfigError: it is no class, or one that is no part: neither derived from a class of torch, mmengine or wsolkit
            nor made to be called, or of Python's own library.

    >>> check_path("torch.optim.SGD")
    >>> check_path("os.system")
    Traceback (most recent call last):
    wsolkit.errors.ConfigError: type 'os.system' is no part of a configuration, but Python code that would run. ...
    """
    for path in {kind, kind.removeprefix(f"{SCOPE}."), kind.removeprefix("mmengine.")}:
        try:
            found = get_object_from_string(path) if "." in path else None
        except Exception:  # whatever an import raises: there is no such object
            continue
        if found is None or (inspect.isclass(found) and is_part(found)):
            continue
        if functions and inspect.isfunction(found) and found.__module__.partition(".")[0] in LIBRARIES:
            continue
        own = " A function of your own is registered with @FUNCTIONS.register_module() in a module of custom_imports."
        raise ConfigError(
            f"type {kind!r} is no part of a configuration, but Python code that would run. Name a part of `wsolkit "
            f"list`, or a class that derives from a part.{own if functions else ''}"
        )


def is_part(found: type) -> bool:
    """Whether a class can be a part: derived from a library of parts, or made to be called."""
    homes = {base.__module__.partition(".")[0] for base in found.__mro__}
    if found.__module__.partition(".")[0] in sys.stdlib_module_names:
        return False
    return bool(homes & LIBRARIES) or any("__call__" in vars(base) for base in found.__mro__)


def import_engine() -> None:
    """Import mmengine's own hooks, loops, metrics and whatever else it files, which it does as they are imported."""
    import_module("mmengine.runner")


def check_arguments(
    cfg: Mapping[str, Any], registry: Registry, filled: Iterable[str] = (), shown: Callable[..., None] | None = None
) -> None:
    """Compare a ``dict(type=..., ...)`` with the signature of the component it names.

    Args:
        cfg: the configuration.
        registry: where the component is looked up.
        filled: arguments that somebody fills in later.
        shown: what shows the component's name and signature; then it is not looked up.

    Raises:
        ConfigError: the ``type`` is missing or unknown, an argument is unknown or of another kind, or one is missing.
    """
    if "type" not in cfg:
        raise ConfigError(f"This {registry.name} needs a type, but got {dict(cfg)!r}. Add type='NAME'.")
    kind = cfg["type"]
    if not isinstance(kind, str) and not callable(kind):
        raise ConfigError(f"The type of this {registry.name} should be a name, but got {kind!r}. Write type='NAME'.")
    component = shown or (registry.get(kind) if isinstance(kind, str) else kind)
    if component is None:
        raise ConfigError(f"There is no {registry.name} named {kind!r}. {nearest(kind, registry.module_dict)}")
    parameters = inspect.signature(component).parameters
    given = {key for key in cfg if key not in ("type", "_scope_")} | set(filled)
    name = getattr(component, "__name__", str(component))
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        for key in sorted(given - set(parameters)):
            raise ConfigError(f"{registry.name} {name} takes no argument {key!r}. {nearest(key, parameters)}")
    check_values(name, annotations_of(component), {key: cfg[key] for key in given - set(filled)})
    missing = [
        key
        for key, parameter in parameters.items()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        and key not in given
    ]
    if missing:
        raise ConfigError(
            f"{registry.name} {name} needs {', '.join(map(repr, missing))}, which the configuration lacks."
        )


BACKBONES = ComponentRegistry("backbone", scope=SCOPE)
MODIFIERS = ComponentRegistry("map modifier", scope=SCOPE)
BATCH_TRANSFORMS = ComponentRegistry("batch transform", scope=SCOPE)
POOLINGS = ComponentRegistry("pooling", scope=SCOPE)
HEADS = ComponentRegistry("activation head", scope=SCOPE)
LOSSES = ComponentRegistry("loss", scope=SCOPE)
CAM_METHODS = ComponentRegistry("CAM method", scope=SCOPE)
BOX_EXTRACTORS = ComponentRegistry("box extractor", scope=SCOPE)
REFINERS = ComponentRegistry("refiner", scope=SCOPE)

STAGES = ComponentRegistry("pipeline stage", scope=SCOPE)
PROTOCOLS = ComponentRegistry("protocol", scope=SCOPE)

MODELS = ComponentRegistry("model", parent=engine.MODELS, scope=SCOPE)
DATASETS = ComponentRegistry("dataset", parent=engine.DATASETS, scope=SCOPE)
DATA_SAMPLERS = ComponentRegistry("data sampler", parent=engine.DATA_SAMPLERS, scope=SCOPE)
TRANSFORMS = ComponentRegistry(
    "transform", parent=engine.TRANSFORMS, scope=SCOPE, locations=["wsolkit.datasets.transforms"]
)
METRICS = ComponentRegistry("metric", parent=engine.METRICS, scope=SCOPE)
HOOKS = ComponentRegistry("hook", parent=engine.HOOKS, scope=SCOPE)
# Nothing of ours is filed in these; without them mmengine warns that the scope has none.
for _name in (
    "EVALUATOR",
    "LOG_PROCESSORS",
    "OPTIMIZERS",
    "OPTIM_WRAPPERS",
    "PARAM_SCHEDULERS",
    "VISBACKENDS",
    "VISUALIZERS",
):
    _parent = getattr(engine, _name)
    Registry(_parent.name, parent=_parent, scope=SCOPE)
LOOPS = ComponentRegistry("loop", parent=engine.LOOPS, scope=SCOPE)
FUNCTIONS = ComponentRegistry("function", parent=engine.FUNCTIONS, scope=SCOPE, locations=["wsolkit.datasets.collate"])
MODEL_WRAPPERS = ComponentRegistry("model wrapper", parent=engine.MODEL_WRAPPERS, scope=SCOPE)
OPTIM_WRAPPER_CONSTRUCTORS = ComponentRegistry(
    "optimizer wrapper constructor", parent=engine.OPTIM_WRAPPER_CONSTRUCTORS, scope=SCOPE
)
