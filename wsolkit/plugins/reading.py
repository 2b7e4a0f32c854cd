"""What one plugin answers to its hooks: components, as classes or by name, and methods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module, metadata
from typing import Any

import pluggy

from wsolkit.errors import PluginError, nearest
from wsolkit.plugins import hookspecs
from wsolkit.plugins.interface_table import Interface, interface_named, interface_of
from wsolkit.plugins.methods import Method
from wsolkit.plugins.watched import watched

__all__ = ["COMPONENTS", "GROUP", "METHODS", "Component", "Source", "path_of", "read_plugin", "reason_of", "source_of"]

GROUP = "wsolkit"
COMPONENTS = "wsolkit_components"
METHODS = "wsolkit_methods"


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
    """A class that a plugin brought.

    Attributes:
        name: its name in configurations.
        kind: the interface it implements.
        path: where it is, as ``module:Class``.
        source: the plugin that brought it.
        contested: whether another plugin has a part of that name too, so that only the long name means this one.
    """

    name: str
    kind: Interface
    path: str
    source: Source
    given: type | None = field(default=None, compare=False, repr=False)
    contested: bool = field(default=False, compare=False, repr=False)

    @property
    def long_name(self) -> str:
        """The name that is its own whatever other plugins have: the plugin's import package, a dot, its name."""
        return f"{self.source.module.partition(':')[0].partition('.')[0]}.{self.name}"

    @property
    def written_name(self) -> str:
        """How a configuration names it."""
        return self.long_name if self.contested else self.name

    @property
    def interface(self) -> str:
        """Its interface, as the registry calls it."""
        return self.kind.home.name

    @property
    def in_place(self) -> type | None:
        """The class that stands in the registry under its name, or None."""
        return self.kind.home.module_dict.get(self.written_name)

    def is_at(self, cls: type) -> bool:
        """Whether a class is this component."""
        return cls is self.given or path_of(cls) == self.path

    @property
    def passes_on(self) -> bool:
        """Whether its signature shows what it passes on to its parents, as that of data sets does."""
        return self.kind.name == "BaseDataset"

    @property
    def cls(self) -> type:
        """The class; imported now where the plugin only named it.

        Raises:
            PluginError: it cannot be imported, or does not implement the interface it was named under.
        """
        if self.given is not None:
            return self.given
        module, _, name = self.path.partition(":")
        try:
            with watched(f"{module} of {self.source}"):
                found = getattr(import_module(module), name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # as a plugin's import
            raise PluginError(
                f"The {self.interface} {self.name} of {self.source} cannot be imported ({reason_of(error)}). "
                f"`python -c 'import {module}'` may show more."
            ) from error
        if interface_of(found) is not self.kind:
            raise PluginError(
                f"{self} is brought as {self.kind.name}, but implements {interface_of(found).name}. Name it there."
            )
        if (own := name_of(found, self.kind)) != self.name:
            raise PluginError(f"{self} is brought as {self.name!r}, but calls itself {own!r}. Use one name.")
        object.__setattr__(self, "given", found)
        return found

    def __str__(self) -> str:
        return f"{self.path.replace(':', '.')} ({self.source})"


def source_of(entry_point: metadata.EntryPoint) -> Source:
    """Say where an entry point comes from."""
    dist = entry_point.dist
    if dist is None:
        return Source(entry_point.name, "an unknown distribution", "?", entry_point.value)
    return Source(entry_point.name, dist.name, dist.version, entry_point.value)


def path_of(cls: type) -> str:
    """Return where a class is, as ``module:Class``."""
    return f"{cls.__module__}:{cls.__qualname__}"


def name_of(cls: type, kind: Interface) -> str:
    """Return the name by which a component is asked for.

    Raises:
        PluginError: it has none.
    """
    name = getattr(cls, kind.named_by, None)
    if not isinstance(name, str) or not name:
        raise PluginError(f"{cls!r} is a {kind.name} and needs a name; set its {kind.named_by!r} to a text.")
    return name


def read_plugin(
    plugin: object, source: Source, hooks: Iterable[str] = (COMPONENTS, METHODS)
) -> tuple[list[Component], list[tuple[Method, Source]]]:
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
        raise PluginError(
            f"it implements none of the hooks {', '.join(sorted(known))}; `wsolkit new-plugin NAME` writes a package "
            "that does, and the page 'Port a method in an hour' shows four"
        )
    asked = marked & set(hooks)
    components = components_of(call_hook(manager, COMPONENTS), source) if COMPONENTS in asked else ()
    methods = call_hook(manager, METHODS) if METHODS in asked else []
    if not isinstance(methods, (list, tuple)):
        raise PluginError(f"{METHODS} should return a list, but returned {methods!r}")
    for method in methods:
        if not isinstance(method, Method):
            raise PluginError(f"{METHODS} should return wsolkit.Method objects, but one is {method!r}")
    return list(components), [(method, source) for method in methods]


def call_hook(manager: pluggy.PluginManager, name: str) -> Any:
    """Call a hook that one plugin implements and return its answer."""
    answers = getattr(manager.hook, name)()
    return answers[0] if answers else None  # pluggy leaves out an answer that is None


def components_of(answer: Any, source: Source) -> Iterator[Component]:
    """Yield the components that a plugin hands over as classes, or names by their interfaces.

    Raises:
        PluginError: the answer is neither, a class is no component, or there is no such interface.
    """
    if isinstance(answer, (list, tuple)):
        for cls in answer:
            kind = interface_of(cls)
            yield Component(name_of(cls, kind), kind, path_of(cls), source, cls)
        return
    if not isinstance(answer, Mapping):
        raise PluginError(f"{COMPONENTS} should return a list of classes, or their names in a dict, but got {answer!r}")
    for key, paths in answer.items():
        kind = interface_named(key)
        for path in [paths] if isinstance(paths, str) else paths:
            own = kind.named_by != "__name__"
            wanted = r"(?P<name>[\w.+-]+)=(?P<path>[\w.]+:\w+)" if own else r"(?P<path>[\w.]+:(?P<name>\w+))"
            found = re.fullmatch(wanted, path) if isinstance(path, str) else None
            if found is None:
                form = "name=module:Class" if own else "module:Class"
                raise PluginError(f"{COMPONENTS} should name a {key} as {form!r}, but got {path!r}")
            yield Component(found["name"], kind, found["path"], source)


def reason_of(error: BaseException) -> str:
    """Return an error in one line; our own errors without their class."""
    text = " ".join(str(error).split())
    return text.rstrip(".") if isinstance(error, PluginError) else f"{type(error).__name__}: {text}"
