"""``wsolkit list`` and ``wsolkit show``: what is there, where it came from, and how it is used."""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from typing import TYPE_CHECKING, Any

from wsolkit.errors import ConfigError, nearest

if TYPE_CHECKING:
    from rich.console import Console

    from wsolkit.methods import Method
    from wsolkit.plugins import Component, Plugins, Source

__all__ = ["add_parser", "find_interface", "inventory", "signature_lines"]

METHOD = "method"
CONFIG = "config"
PIPE_WIDTH = 160


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``list`` and ``show``."""
    listing = subparsers.add_parser("list", help="list components and methods, and the plugin each came from")
    listing.add_argument("what", nargs="?", help="only these: an interface (Backbone, losses, ...), methods or configs")
    listing.add_argument("--interface", help="the same, in words")
    listing.add_argument("--json", action="store_true", help="print JSON instead of tables")
    listing.set_defaults(run=run_list)
    showing = subparsers.add_parser("show", help="show a component, a method or a configuration")
    showing.add_argument("name", help="a name that `wsolkit list` prints")
    showing.set_defaults(run=run_show)


def run_list(args: argparse.Namespace) -> int:
    """Print tables, or JSON, of everything the plugins brought."""
    from wsolkit.plugins import load_plugins

    found = inventory(load_plugins(), args.interface or args.what)
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        print_tables(found, console_for(sys.stdout))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print what is known about one name."""
    from wsolkit.config.find import config_files
    from wsolkit.plugins import Component, load_plugins

    plugins = load_plugins()
    console = console_for(sys.stdout)
    if file := config_files().get(args.name):
        console.rule(f"{args.name} (configuration)")
        console.print(file.read_text("utf-8"))
        console.print(f"file            {file}", soft_wrap=True)
        return 0
    for found in plugins.find(args.name):
        if isinstance(found, Component):
            print_component(found, plugins, console)
        else:
            print_method(*found, console)
    return 0


def find_interface(name: str) -> str:
    """Return the interface that is meant, as its registry calls it; case, spaces and underscores do not matter.

    Raises:
        ConfigError: there is no such interface.

    >>> find_interface("ActivationHead")
    'activation head'
    """
    from wsolkit.interface_table import INTERFACES

    known = {plain(each.name): each.home.name for each in INTERFACES}
    known |= {plain(each.home.name): each.home.name for each in INTERFACES} | {METHOD: METHOD, CONFIG: CONFIG}
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
    from wsolkit.config.find import config_files

    wanted = find_interface(interface) if interface else None
    components = [
        {
            "name": component.name,
            "interface": home,
            **origin(component.source),
            "class": f"{component.cls.__module__}.{component.cls.__qualname__}",
            "summary": first_line(component.cls.__doc__),
        }
        for (home, _), component in sorted(plugins.components.items(), key=lambda item: item[0][1].lower())
        if wanted in (None, home)
    ]
    methods = [
        {"name": method.name, **origin(source), **paper(method)}
        for method, source in sorted(plugins.methods, key=lambda pair: pair[0].name.lower())
        if wanted in (None, METHOD)
    ]
    configs = [
        {"name": name, "file": str(path), "summary": first_line(path.read_text("utf-8").lstrip("\"'"))}
        for name, path in (sorted(config_files().items()) if wanted in (None, CONFIG) else ())
    ]
    broken = [{**origin(broken.source), "reason": broken.reason} for broken in plugins.broken]
    found: dict[str, list[Any]] = {"components": components, "methods": methods, "configs": configs}
    return found | {"broken": broken, "disabled": list(plugins.disabled)}


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
        "reported": dict(method.reported),
    }


def first_line(text: str | None) -> str:
    """Return the first line of a docstring."""
    return (inspect.cleandoc(text or "").splitlines() or [""])[0]


def signature_lines(cls: type) -> list[str]:
    """Return how a component is written in a configuration: its name, then one line per argument.

    >>> class Blur:
    ...     def __init__(self, size: int, sigma: float = 1.0) -> None: ...
    >>> signature_lines(Blur)
    ['Blur(', '    size: int,', '    sigma: float = 1.0,', ')']
    """
    parameters = list(inspect.signature(cls).parameters.values())
    if not parameters:
        return [f"{cls.__name__}()"]
    return [f"{cls.__name__}(", *(f"    {argument_text(parameter)}," for parameter in parameters), ")"]


def argument_text(parameter: inspect.Parameter) -> str:
    """Return ``name: type = default``, with the type as it stands in the source."""
    text = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "") + parameter.name
    kind, default = parameter.annotation, parameter.default
    if kind is not inspect.Parameter.empty:
        text += f": {kind if isinstance(kind, str) else inspect.formatannotation(kind)}"
    if default is not inspect.Parameter.empty:
        text += f" = {default!r}"
    return text


def print_tables(found: dict[str, list[Any]], console: Console) -> None:
    """Print one table per interface, one of the methods, and what was left out."""
    from rich.table import Table

    for interface in sorted({each["interface"] for each in found["components"]}):
        table = Table("name", "plugin", "from", "what it does", title=interface, title_justify="left")
        for each in found["components"]:
            if each["interface"] == interface:
                version = f"{each['distribution']} {each['version']}"
                table.add_row(each["name"], each["plugin"], version, each["summary"])
        console.print(table)
    if found["methods"]:
        table = Table("name", "plugin", "from", "paper", "configurations", title="methods", title_justify="left")
        for each in found["methods"]:
            cited = f"{each['authors']}. {each['title']}. {each['venue']} {each['year']}"
            version = f"{each['distribution']} {each['version']}"
            table.add_row(each["name"], each["plugin"], version, cited, ", ".join(each["configs"]))
        console.print(table)
    if found["configs"]:
        table = Table("name", "what it does", title="configurations", title_justify="left")
        for each in found["configs"]:
            table.add_row(each["name"], each["summary"])
        console.print(table)
    for each in found["broken"]:
        console.print(
            f"broken: plugin {each['plugin']!r} of {each['distribution']} {each['version']}: {each['reason']}"
        )
    if found["disabled"]:
        console.print(f"disabled: {', '.join(found['disabled'])}")


def print_component(component: Component, plugins: Plugins, console: Console) -> None:
    """Print a component's signature, docstring and source, and the cards that name it."""
    from rich.markdown import Markdown

    console.rule(f"{component.name} ({component.interface})")
    console.print("\n".join(signature_lines(component.cls)), style="bold")
    console.print()
    console.print(inspect.getdoc(component.cls) or "It has no description.")
    console.print()
    print_source(component.source, inspect.getsourcefile(component.cls), console)
    for method, source in plugins.methods:
        if source == component.source and component.name in (text := method.card_text()):
            console.rule(f"the card of {method.name}")
            console.print(Markdown(text))


def print_method(method: Method, source: Source, console: Console) -> None:
    """Print a method's paper, configurations and printed numbers, and its card."""
    from rich.markdown import Markdown

    console.rule(f"{method.name} (method)")
    console.print(method.summary)
    console.print(f"\npaper           {method.title}")
    console.print(f"authors         {method.authors}")
    console.print(f"venue           {method.venue} {method.year}")
    console.print(f"configurations  {', '.join(method.configs) or 'none'}")
    for name, value in method.reported.items():
        console.print(f"printed         {value:g}  {name}")
    print_source(source, None, console)
    if text := method.card_text():
        console.rule("card")
        console.print(Markdown(text))


def print_source(source: Source, file: str | None, console: Console) -> None:
    """Print where something came from."""
    console.print(f"from            {source}")
    if file:
        console.print(f"file            {file}", soft_wrap=True)


def console_for(stream: Any) -> Console:
    """Return a console without highlighting; a pipe gets wide lines, for it has no width of its own."""
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, width=None if stream.isatty() else PIPE_WIDTH)
