"""Finds the plugins, files their components and remembers who brought what.

Entry points of group ``wsolkit`` name modules with the hooks of ``wsolkit.hookspecs``; wsolkit's own parts come the
same way. A plugin that does not load is reported once and left out; two components of one name are an error.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import pluggy
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import Registry
from mmengine.runner import BaseLoop
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Sampler
from torchvision.transforms import v2

from wsolkit import hookspecs, interfaces, registry
from wsolkit.errors import PluginError, nearest
from wsolkit.methods import Method

__all__ = ["INTERFACES", "BrokenPlugin", "Component", "Plugins", "Source", "load_from", "load_plugins"]

GROUP = "wsolkit"
CORE = "wsolkit.builtin"
DISABLED = "WSOLKIT_DISABLED_PLUGINS"

INTERFACES: dict[type, Registry] = {
    interfaces.Backbone: registry.BACKBONES,
    interfaces.MapModifier: registry.MODIFIERS,
    interfaces.Pooling: registry.POOLINGS,
    interfaces.ActivationHead: registry.HEADS,
    interfaces.Loss: registry.LOSSES,
    interfaces.CamMethod: registry.CAM_METHODS,
    interfaces.BoxExtractor: registry.BOX_EXTRACTORS,
    interfaces.Stage: registry.STAGES,
    BaseModel: registry.MODELS,
    BaseDataPreprocessor: registry.MODELS,
    DistributedDataParallel: registry.MODEL_WRAPPERS,
    BaseDataset: registry.DATASETS,
    v2.Transform: registry.TRANSFORMS,
    BaseMetric: registry.METRICS,
    Hook: registry.HOOKS,
    BaseLoop: registry.LOOPS,
    Sampler: registry.DATA_SAMPLERS,
    DefaultOptimWrapperConstructor: registry.OPTIM_WRAPPER_CONSTRUCTORS,
}
"""The interfaces a component may implement, and where it is filed."""


@dataclass(frozen=True)
class Source:
    """Where a component or a method came from.

    Attributes:
        plugin: the entry point's name.
        distribution: name of the installed distribution that declares it.
        version: that distribution's version.
        module: the module the entry point names.
    """

    plugin: str
    distribution: str
    version: str
    module: str

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} of {self.distribution} {self.version}"


@dataclass(frozen=True)
class Component:
    """A class that a plugin brought: its name in configurations, its interface as its registry calls it, its source."""

    name: str
    interface: str
    cls: type
    source: Source

    def __str__(self) -> str:
        return f"{self.cls.__module__}.{self.cls.__qualname__} ({self.source})"


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that could not be loaded, and why."""

    source: Source
    reason: str

    def __str__(self) -> str:
        return f"{self.source} could not be loaded ({self.reason})"


@dataclass
class Plugins:
    """Everything the plugins brought.

    Attributes:
        components: by interface and name.
        methods: the described methods, each with its source.
        broken: plugins that were left out because they do not load.
        disabled: plugins that were left out because ``WSOLKIT_DISABLED_PLUGINS`` names them.
        installed: whether wsolkit's own entry point was found; it is missing in a checkout that was not installed.
    """

    components: dict[tuple[str, str], Component] = field(default_factory=dict)
    methods: list[tuple[Method, Source]] = field(default_factory=list)
    broken: list[BrokenPlugin] = field(default_factory=list)
    disabled: list[str] = field(default_factory=list)
    installed: bool = True

    def add(self, source: Source, classes: Iterable[type], methods: Iterable[Method] = ()) -> None:
        """File what one plugin brings: all of it, or nothing where a name is taken.

        Raises:
            PluginError: a component or a method has a name that is taken.
        """
        new: dict[tuple[str, str], Component] = {}
        for cls in classes:
            component = Component(cls.__name__, registry_of(cls).name, cls, source)
            key = component.interface, component.name
            known = self.components.get(key) or new.get(key)
            if known is None or known.cls is not cls:
                self._check_free(component, known)
                new[key] = component
        described = [method for method in methods if method not in [known for known, _ in self.methods]]
        for method in described:
            self._check_method(method, source)
        for (_, name), component in new.items():
            registry_of(component.cls).register_module(name=name, module=component.cls, force=True)
        self.components |= new
        self.methods += [(method, source) for method in described]

    def _check_method(self, method: Method, source: Source) -> None:
        for known, owner in self.methods:
            if known.name == method.name:
                raise PluginError(
                    f"Two methods are called {method.name!r}: {known.title!r} ({owner}) and {method.title!r} "
                    f"({source}). Rename one, or leave one plugin out with {switch_off(source, owner)}."
                )

    def _check_free(self, component: Component, known: Component | None) -> None:
        name = component.name
        scratch = registry_of(component.cls).module_dict.get(name)
        if known is not None:
            raise PluginError(
                f"Two components are called {name!r} among the {component.interface}s: {known} and {component}. "
                f"Rename one, or leave one plugin out with {switch_off(component.source, known.source)}."
            )
        if scratch is not None and scratch is not component.cls:
            raise PluginError(
                f"Two components are called {name!r} among the {component.interface}s: {component} and "
                f"{scratch.__module__}.{scratch.__qualname__}, which was registered by hand. Rename one."
            )

    def find(self, name: str) -> list[Component | tuple[Method, Source]]:
        """Return the components and methods of that name.

        Raises:
            PluginError: nothing has that name.
        """
        found: list[Component | tuple[Method, Source]] = [pair for pair in self.methods if pair[0].name == name]
        found += [component for (_, known), component in self.components.items() if known == name]
        if not found:
            names = [known for _, known in self.components] + [method.name for method, _ in self.methods]
            raise PluginError(f"There is no component or method named {name!r}. {nearest(name, names)}{self.remark()}")
        return found

    def remark(self) -> str:
        """Say which plugins are missing, for messages about a name that was not found."""
        parts = [f"The {broken}" for broken in self.broken]
        if self.disabled:
            parts.append(f"{DISABLED} leaves out {', '.join(map(repr, self.disabled))}")
        if not self.installed:
            parts.append(
                "wsolkit is not installed, so its own parts are not found; run `pip install -e .` in its folder"
            )
        return "".join(f" {part}." for part in parts)


def registry_of(cls: object) -> Registry:
    """Return the registry of the interface a class implements.

    Raises:
        PluginError: it implements none, several, or not all of it.
    """
    found = [base for base in INTERFACES if isinstance(cls, type) and issubclass(cls, base)]
    if len(found) != 1:
        names = ", ".join(base.__name__ for base in found or INTERFACES)
        advice = (
            f"implements {names}; split it" if found else f"implements no interface; derive a class from one of {names}"
        )
        raise PluginError(f"A component implements one interface, but {cls!r} {advice}.")
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise PluginError(f"{cls!r} does not implement {', '.join(missing)} of {found[0].__name__}; add it.")
    return INTERFACES[found[0]]


def read_plugin(plugin: object) -> tuple[list[type], list[Method]]:
    """Ask one plugin, a module or any object with hooks, for its components and its methods.

    Raises:
        PluginError: it implements no hook, an unknown one, or a hook returns something else than it should.
        pluggy.PluginValidationError: a hook takes arguments that the hook does not have.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    known = set(vars(manager.hook))
    manager.register(plugin)
    marked = {caller.name for caller in manager.get_hookcallers(plugin) or ()}
    for name in sorted(marked - known):
        raise PluginError(f"there is no hook {name!r}; {nearest(name, known)}")
    for name in sorted(known - marked):
        if hasattr(plugin, name):
            raise PluginError(f"{name} is not marked as a hook; put @wsolkit.hookimpl above it")
    if not marked:
        raise PluginError(f"it implements none of the hooks {', '.join(sorted(known))}; see wsolkit.hookspecs")
    classes = call_hook(manager, "wsolkit_components") if "wsolkit_components" in marked else []
    methods = call_hook(manager, "wsolkit_methods") if "wsolkit_methods" in marked else []
    for cls in classes:
        registry_of(cls)
    for method in methods:
        if not isinstance(method, Method):
            raise PluginError(f"wsolkit_methods should return wsolkit.Method objects, but one is {method!r}")
    return classes, methods


def call_hook(manager: pluggy.PluginManager, name: str) -> list[Any]:
    """Call a hook that one plugin implements and return the list it answers.

    Raises:
        PluginError: the answer is no list.
    """
    answers = getattr(manager.hook, name)()  # pluggy leaves out an answer that is None
    if not answers or not isinstance(answers[0], (list, tuple)):
        raise PluginError(f"{name} should return a list, but returned {answers[0] if answers else None!r}")
    return list(answers[0])


def source_of(entry_point: metadata.EntryPoint) -> Source:
    """Say where an entry point comes from."""
    dist = entry_point.dist
    if dist is None:
        return Source(entry_point.name, "an unknown distribution", "?", entry_point.value)
    return Source(entry_point.name, dist.name, dist.version, entry_point.value)


def load_from(entry_points: Iterable[metadata.EntryPoint], disabled: Iterable[str] = ()) -> Plugins:
    """Import the given entry points, wsolkit's own first, and file what they bring.

    Args:
        entry_points: what to load. Two of one name are both loaded.
        disabled: names to leave out, ``NAME`` or, where two distributions share one, ``DISTRIBUTION:NAME``.

    Raises:
        PluginError: two components or two methods share a name.
    """
    plugins = Plugins()
    sources = {source_of(point): point for point in entry_points}
    blocked = {name: [source for source in sources if name in names_of(source)] for name in disabled}
    for name in sorted(name for name, hit in blocked.items() if not hit):
        known = nearest(name, (source.plugin for source in sources))
        warnings.warn(f"{DISABLED} names {name!r}, but there is no such plugin. {known}", RuntimeWarning, stacklevel=2)
    for source in sorted(sources, key=lambda source: (source.module != CORE, source.plugin, source.distribution)):
        if names := [name for name, hit in blocked.items() if source in hit]:
            plugins.disabled.append(names[0])
            continue
        try:
            classes, methods = read_plugin(sources[source].load())
        except (Exception, SystemExit) as error:  # a stranger's import may fail in any way, and must not take us down
            if source.module == CORE:
                raise
            broken = BrokenPlugin(source, reason_of(error))
            plugins.broken.append(broken)
            module = source.module.partition(":")[0]
            message = f"The {broken}; it is left out. `python -c 'import {module}'` may show more."
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            continue
        plugins.add(source, classes, methods)
    return plugins


def names_of(source: Source) -> tuple[str, str]:
    """Return the two names by which a plugin can be disabled."""
    return source.plugin, f"{source.distribution}:{source.plugin}"


def switch_off(source: Source, other: Source) -> str:
    """Return the setting that leaves out one of two plugins."""
    plain, full = names_of(source)
    return f"{DISABLED}={full if plain == other.plugin else plain}"


def reason_of(error: BaseException) -> str:
    """Return an error in one line; our own errors without their class."""
    text = " ".join(str(error).split())
    return text.rstrip(".") if isinstance(error, PluginError) else f"{type(error).__name__}: {text}"


_loaded: Plugins | None = None
_lock = threading.RLock()


def load_plugins() -> Plugins:
    """Load every installed plugin once and return what they brought.

    Raises:
        PluginError: two components or two methods share a name.
    """
    global _loaded
    with _lock:
        if _loaded is None:
            _loaded = Plugins()  # what a plugin sees that looks something up while it is being imported
            try:
                points = metadata.entry_points(group=GROUP)
                names = [name.strip() for name in os.environ.get(DISABLED, "").split(",")]
                _loaded = load_from(points, [name for name in names if name])
                _loaded.installed = any(point.value == CORE for point in points)
            except BaseException:
                _loaded = None
                raise
        return _loaded
