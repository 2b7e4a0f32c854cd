"""Finds the plugins, files their components and remembers who brought what.

Entry points of group ``wsolkit`` name modules with the hooks of ``wsolkit.plugins.hookspecs``; wsolkit's own parts
come the same way. A plugin that does not load is reported once and left out. Where two plugins have a component of one
name, that name stops who uses it, and ``package.Name`` means either. A component that its plugin names, instead of
handing over the class, is imported when it is asked for.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata

from wsolkit.errors import PluginError, nearest
from wsolkit.plugins.clashes import (
    DISABLED,
    check_free,
    check_replaced,
    contest_words,
    names_of,
    registered,
    switch_off,
)
from wsolkit.plugins.interface_table import INTERFACES
from wsolkit.plugins.methods import Method
from wsolkit.plugins.reading import (
    COMPONENTS,
    GROUP,
    METHODS,
    Component,
    Source,
    read_plugin,
    reason_of,
    source_of,
)
from wsolkit.plugins.watched import watched
from wsolkit.sources.signatures import stand_in

__all__ = [
    "INTERFACES",
    "BrokenPlugin",
    "Component",
    "Plugins",
    "Source",
    "load_from",
    "load_methods",
    "load_plugins",
]

CORE = "wsolkit.builtin"
SCOPE = "wsolkit."


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
        components: by interface and name; those whose name another plugin has too, by interface and long name.
        contested: the components of each name that several have, by interface and name.
        methods: the described methods, each with its source.
        broken: plugins that were left out because they do not load.
        disabled: plugins that were left out because ``WSOLKIT_DISABLED_PLUGINS`` names them.
        installed: whether wsolkit's own entry point was found; it is missing in a checkout that was not installed.
    """

    components: dict[tuple[str, str], Component] = field(default_factory=dict)
    contested: dict[tuple[str, str], list[Component]] = field(default_factory=dict)
    methods: list[tuple[Method, Source]] = field(default_factory=list)
    broken: list[BrokenPlugin] = field(default_factory=list)
    disabled: list[str] = field(default_factory=list)
    installed: bool = True

    def add(self, components: Iterable[Component], methods: Iterable[tuple[Method, Source]] = ()) -> None:
        """File what one plugin brings: all of it, or nothing where a name is taken.

        Raises:
            PluginError: a component has the long name of another or that of one registered by hand, or a method's name
                is taken.
        """
        new: dict[tuple[str, str], Component] = {}
        for component in components:
            known = self.rivals(component) + [each for each in new.values() if each.long_name == component.long_name]
            same = [each for each in known if each.interface == component.interface and each.name == component.name]
            if any(each.path == component.path and each.given is component.given for each in same):
                continue
            check_free(component, next((each for each in same if each.long_name == component.long_name), None))
            new[component.interface, component.name] = component
        known_methods = [known for known, _ in self.methods]
        described = [(method, source) for method, source in methods if method not in known_methods]
        for method, source in described:
            self._check_method(method, source)
        for key, component in new.items():
            if rivals := self.rivals(component):
                self._contest(key, [*rivals, component])
                continue
            if component.given is not None:
                component.kind.home.register_module(name=component.name, module=component.given, force=True)
            self.components[key] = component
        self.methods += described

    def rivals(self, component: Component) -> list[Component]:
        """Return the components that have a component's name among those of its interface."""
        key = component.interface, component.name
        return [*self.contested.get(key, ()), *filter(None, [self.components.get(key)])]

    def _contest(self, key: tuple[str, str], rivals: Sequence[Component]) -> None:
        """Let a name be nobody's: its components are known by their long names alone."""
        interface, name = key
        self.components.pop(key, None)
        rivals[0].kind.home.module_dict.pop(name, None)
        self.contested[key] = [replace(each, contested=True) for each in rivals]
        self.components |= {(interface, each.long_name): each for each in self.contested[key]}

    def part(self, interface: str, name: str) -> Component | None:
        """Return the component of that name, bare or long, or None.

        Raises:
            PluginError: several plugins have one of that bare name.
        """
        if rivals := self.contested.get((interface, name)):
            raise PluginError(contest_words(name, rivals))
        found = self.components.get((interface, name)) or self.components.get((interface, name.rpartition(".")[2]))
        return found if found is not None and name in (found.name, found.long_name) else None

    def _check_method(self, method: Method, source: Source) -> None:
        for known, owner in self.methods:
            if known.name == method.name:
                raise PluginError(
                    f"Two methods are called {method.name!r}: {known.title!r} ({owner}) and {method.title!r} "
                    f"({source}). Rename one, or leave one plugin out with {switch_off(source, owner)}."
                )

    def file(self, interface: str, name: str) -> None:
        """Import the component of that name, if there is one, into the registry of its interface.

        Raises:
            PluginError: it cannot be imported, does not implement its interface, another class was registered by hand
                under its name, or several plugins have one of that name.
        """
        component = self.part(interface, name)
        if component is None:
            return
        standing = component.kind.home.module_dict.get(name)
        if standing is None:
            component.kind.home.register_module(name=name, module=component.cls, force=True)
        elif not component.is_at(standing):
            check_free(component, None)

    def filed_name(self, interface: str, name: str) -> str:
        """Return the name under which the component that a configuration names so is filed in its registry.

        Raises:
            PluginError: several plugins have one of that name.
        """
        found = self.part(interface, name)
        if found is not None:
            return found.written_name
        bare = name.removeprefix(SCOPE)
        return self.filed_name(interface, bare) if bare != name else name

    def stand_in(self, interface: str, name: str) -> Callable[..., None] | None:
        """Return what shows a component's name and signature without importing it, where its source says them."""
        component = self.part(interface, name)
        if component is None or component.given is not None:
            return None
        return stand_in(component.path, component.passes_on)

    def names(self, interface: str) -> list[str]:
        """Return the names of the components of an interface; the long ones of those that share their name."""
        return [name for home, name in self.components if home == interface]

    def every_name(self, interface: str) -> set[str]:
        """Return what may be written for the components of an interface: their names, and their long ones."""
        found = [each for (home, _), each in self.components.items() if home == interface]
        return {name for each in found for name in (each.name, each.long_name)}

    def find(self, name: str) -> list[Component | tuple[Method, Source]]:
        """Return the components and methods of that name.

        Raises:
            PluginError: nothing has that name.
        """
        found: list[Component | tuple[Method, Source]] = [pair for pair in self.methods if pair[0].name == name]
        found += [each for each in self.components.values() if name in (each.name, each.long_name)]
        found = found or [pair for pair in self.methods if pair[0].is_called(name)]
        if not found:
            methods = [each for method, _ in self.methods for each in (method.name, *method.other_names)]
            names = [known for _, known in self.components] + methods
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


def load_from(
    entry_points: Iterable[metadata.EntryPoint],
    disabled: Iterable[str] = (),
    hooks: Iterable[str] = (COMPONENTS, METHODS),
) -> Plugins:
    """Import the given entry points, wsolkit's own first, and file what they bring.

    Args:
        entry_points: what to load. Two of one name are both loaded.
        disabled: names to leave out, ``NAME`` or, where two distributions share one, ``DISTRIBUTION:NAME``.
        hooks: what to ask each plugin for.

    Raises:
        PluginError: two components share a long name, or two methods a name.
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
        before = registered(plugins.components.values())
        try:
            with watched(str(source), f"{DISABLED}={source.plugin} leaves it out."):
                found = read_plugin(sources[source].load(), source, hooks)
            check_replaced(plugins.components.values(), before)
        except BaseException as error:  # a stranger's import may fail in any way, and must not take us down
            if source.module == CORE or isinstance(error, KeyboardInterrupt):
                raise
            broken = BrokenPlugin(source, reason_of(error))
            plugins.broken.append(broken)
            module = source.module.partition(":")[0]
            message = f"The {broken}; it is left out. `python -c 'import {module}'` may show more."
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            continue
        plugins.add(*found)
    return plugins


_loaded: Plugins | None = None
_described: Plugins | None = None
_lock = threading.RLock()


def load_plugins() -> Plugins:
    """Load every installed plugin once and return what they brought.

    Raises:
        PluginError: two components share a long name, or two methods a name.
    """
    global _loaded
    with _lock:
        if _loaded is None:
            _loaded = Plugins()  # what a plugin sees that looks something up while it is being imported
            try:
                _loaded = load_installed((COMPONENTS, METHODS))
            except BaseException:
                _loaded = None
                raise
        return _loaded


def load_methods() -> list[tuple[Method, Source]]:
    """Return the methods that the installed plugins describe, each with its source; they are not asked for parts.

    Raises:
        PluginError: two methods share a name.
    """
    global _described
    with _lock:
        if _loaded is not None:
            return _loaded.methods
        if _described is None:
            _described = load_installed((METHODS,))
        return _described.methods


def load_installed(hooks: Iterable[str]) -> Plugins:
    """Ask the plugins that are installed and not disabled."""
    points = metadata.entry_points(group=GROUP)
    names = [name.strip() for name in os.environ.get(DISABLED, "").split(",")]
    plugins = load_from(points, [name for name in names if name], hooks)
    plugins.installed = any(point.value == CORE for point in points)
    return plugins
