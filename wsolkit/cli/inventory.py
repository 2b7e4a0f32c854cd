"""What the plugins brought, as plain data and as lines of text: for ``wsolkit list`` and ``wsolkit show``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsolkit.errors import ConfigError, nearest
from wsolkit.plugins.interface_table import INTERFACES
from wsolkit.sources.classes import class_node, doc_of
from wsolkit.sources.signatures import signature_of

if TYPE_CHECKING:
    from wsolkit.plugins.interface_table import Interface
    from wsolkit.plugins.loading import Component, Plugins, Source
    from wsolkit.plugins.methods import Method

__all__ = [
    "conventions_of",
    "description",
    "find_interface",
    "interface_rows",
    "inventory",
    "signature_lines",
    "written",
]

METHOD = "method"
CONFIG = "config"
BENCHMARK = "benchmark"


def find_interface(name: str) -> str:
    """Return the interface that is meant, as its registry calls it; case, spaces and underscores do not matter.

    Raises:
        ConfigError: there is no such interface.

    >>> find_interface("ActivationHead")
    'activation head'
    """
    known = {plain(each.name): each.home.name for each in INTERFACES}
    known |= {plain(each.home.name): each.home.name for each in INTERFACES}
    known |= {name: name for name in (METHOD, CONFIG, BENCHMARK)}
    for wanted in (plain(name), plain(name).removesuffix("s"), plain(name).removesuffix("es")):
        if wanted in known:
            return known[wanted]
        endings = {home for each, home in known.items() if wanted and each.endswith(wanted)}  # head, modifier
        if len(endings) == 1:
            return endings.pop()
    raise ConfigError(f"There is no interface {name!r}. {nearest(name, known.values())}")


def plain(name: str) -> str:
    """Return a name without case, spaces, dashes and underscores."""
    return name.lower().replace(" ", "").replace("_", "").replace("-", "")


def inventory(plugins: Plugins, interface: str | None = None) -> dict[str, list[Any]]:
    """Return components, methods, configurations and what was left out as plain data, of one interface or of all."""
    from wsolkit.config.find import benchmark_files, config_files

    wanted = find_interface(interface) if interface else None
    components = [
        {
            "name": component.written_name,
            "interface": home,
            **origin(component.source),
            "class": component.path.replace(":", "."),
            "summary": first_line(description(component)),
        }
        for (home, _), component in sorted(plugins.components.items(), key=lambda item: item[0][1].lower())
        if wanted in (None, home)
    ]
    methods = [
        {"name": method.name, **origin(source), **paper(method)}
        for method, source in sorted(plugins.methods, key=lambda pair: pair[0].name.lower())
        if wanted in (None, METHOD)
    ]
    configs = listed(config_files()) if wanted in (None, CONFIG) else []
    benchmarks = listed(benchmark_files()) if wanted in (None, BENCHMARK) else []
    broken = [{**origin(broken.source), "reason": broken.reason} for broken in plugins.broken]
    found: dict[str, list[Any]] = {"components": components, "methods": methods}
    found |= {"configs": configs, "benchmarks": benchmarks}
    return found | {"broken": broken, "disabled": list(plugins.disabled)}


def listed(files: Mapping[str, Path]) -> list[dict[str, str]]:
    """Return files of configurations by name, each with the first line of what it says of itself."""
    return [
        {"name": name, "file": str(path), "summary": first_line(path.read_text("utf-8").lstrip("\"'"))}
        for name, path in sorted(files.items())
    ]


def origin(source: Source) -> dict[str, str]:
    """Return plugin, distribution and version."""
    return {"plugin": source.plugin, "distribution": source.distribution, "version": source.version}


def paper(method: Method) -> dict[str, Any]:
    """Return a method's paper, its configurations and the printed numbers."""
    return {
        "summary": method.summary,
        "title": method.title,
        "authors": method.authors,
        "venue": method.venue,
        "year": method.year,
        "configs": list(method.configs),
        "trained_with": method.trained_with,
        "reported": dict(method.reported),
    }


def first_line(text: str | None) -> str:
    """Return the first line of a docstring."""
    return (inspect.cleandoc(text or "").splitlines() or [""])[0]


def description(component: Component) -> str:
    """Return the docstring of a component, its own and not that of its interface; empty where it has none."""
    if component.given is None and (found := class_node(component.path)):
        return doc_of(found[0])
    return inspect.cleandoc(vars(component.cls).get("__doc__") or "")


def conventions_of(protocol: Component) -> str:
    """Return the conventions of a protocol: what stands at the head of the module of its accumulator."""
    module = sys.modules[type(protocol.cls().make(2)).__module__]
    return inspect.cleandoc(module.__doc__ or "")


def file_of_component(component: Component) -> str | None:
    """Return the file of a component's class."""
    found = class_node(component.path) if component.given is None else None
    return inspect.getsourcefile(component.cls) if found is None else str(found[2])


def interface_summary(interface: Interface) -> str:
    """Return in one line what an interface is."""
    found = None if interface.summary else class_node(f"{interface.module}:{interface.name}")
    return interface.summary if found is None else first_line(doc_of(found[0]))


def interface_rows(plugins: Plugins) -> list[tuple[str, str, int]]:
    """Return name, summary and number of components for each registry that interfaces are filed in."""
    homes = {each.home.name: each for each in reversed(INTERFACES)}
    return [
        (name, interface_summary(each), len(set(plugins.names(name)))) for name, each in reversed(list(homes.items()))
    ]


def written(component: Component) -> list[str]:
    """Return how a component is written in a configuration; read from its source where that says it."""
    found = signature_of(component.path, component.passes_on)
    return call_lines(component.written_name, found or inspect.signature(component.cls))


def signature_lines(cls: type) -> list[str]:
    """Return how a component is written in a configuration: its name, then one line per argument.

    >>> class Blur:
    ...     def __init__(self, size: int, sigma: float = 1.0) -> None: ...
    >>> signature_lines(Blur)
    ['Blur(', '    size: int,', '    sigma: float = 1.0,', ')']
    """
    return call_lines(cls.__name__, inspect.signature(cls))


def call_lines(name: str, signature: inspect.Signature) -> list[str]:
    """Return a call over several lines."""
    arguments = [argument_text(each) for each in signature.parameters.values()]
    return [f"{name}(", *(f"    {argument}," for argument in arguments), ")"] if arguments else [f"{name}()"]


def argument_text(parameter: inspect.Parameter) -> str:
    """Return ``name: type = default``, with the type as it stands in the source."""
    text = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "") + parameter.name
    kind, default = parameter.annotation, parameter.default
    if kind is not inspect.Parameter.empty:
        text += f": {kind if isinstance(kind, str) else inspect.formatannotation(kind)}"
    if default is not inspect.Parameter.empty:
        text += f" = {default!r}"
    return text
