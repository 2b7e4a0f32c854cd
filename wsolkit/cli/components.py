"""``wsolkit list`` and ``wsolkit show``: what is there, where it came from, and how it is used."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from wsolkit.plugins.interface_table import Interface
    from wsolkit.plugins.loading import Component, Plugins, Source
    from wsolkit.plugins.methods import Method

__all__ = ["add_parser", "run_list", "run_show"]

PIPE_WIDTH = 160


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``list`` and ``show``."""
    listing = subparsers.add_parser("list", help="list components and methods, and the plugin each came from")
    listing.add_argument(
        "what", nargs="?", help="only these: an interface (Backbone, losses, ...), methods, configs or benchmarks"
    )
    listing.add_argument("--interface", help="the same, in words")
    listing.add_argument("--all", action="store_true", help="every component, method and configuration")
    listing.add_argument("--json", action="store_true", help="print everything as JSON")
    listing.set_defaults(run=run_list)
    showing = subparsers.add_parser("show", help="show a component, an interface, a method or a configuration")
    showing.add_argument("name", help="a name that `wsolkit list` prints")
    showing.add_argument(
        "--modules",
        action="store_true",
        help="of a configuration: the modules of its backbone, which modifiers and CAM methods name as at=",
    )
    showing.set_defaults(run=run_show)


def run_list(args: argparse.Namespace) -> int:
    """Print an overview, or tables or JSON of what the plugins brought."""
    from wsolkit.cli.inventory import inventory
    from wsolkit.plugins.loading import load_plugins

    what = args.interface or args.what
    plugins = load_plugins()
    if args.json:
        print(json.dumps(inventory(plugins, what), indent=2))
    elif what or args.all:
        print_tables(inventory(plugins, what), console_for(sys.stdout))
    else:
        print_overview(plugins, console_for(sys.stdout))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print what is known about one name."""
    from wsolkit.config.find import benchmark_files, config_files
    from wsolkit.errors import PluginError
    from wsolkit.plugins.loading import Component, load_plugins

    if args.modules:
        from wsolkit.cli.backbone_modules import module_lines

        print("\n".join(module_lines(args.name)))
        return 0
    console = console_for(sys.stdout)
    for what, files in (("configuration", config_files()), ("benchmark", benchmark_files())):
        if file := files.get(args.name):
            console.rule(f"{args.name} ({what})")
            console.print(file.read_text("utf-8"))
            console.print(f"file            {file}", soft_wrap=True)
            return 0
    plugins = load_plugins()
    if interfaces := interfaces_named(args.name, plugins):
        for interface in interfaces:
            print_interface(interface, plugins, console)
        return 0
    try:
        called_so = plugins.find(args.name)
    except PluginError:
        if (public := public_class(args.name)) is None:
            raise
        print_class(*public, console)
        return 0
    for found in called_so:
        if isinstance(found, Component):
            print_component(found, plugins, console)
        else:
            print_method(*found, console)
    return 0


def interfaces_named(name: str, plugins: Plugins) -> list[Interface]:
    """Return the interfaces that any of their names means, where no component or method is called so."""
    from wsolkit.cli.inventory import find_interface, plain
    from wsolkit.errors import ConfigError
    from wsolkit.plugins.interface_table import INTERFACES

    methods = {each for method, _ in plugins.methods for each in (method.name, *method.other_names)}
    if name in methods | {known for each in plugins.components.values() for known in (each.name, each.long_name)}:
        return []
    try:
        home = find_interface(name)
    except ConfigError:
        return []
    found = [each for each in INTERFACES if each.home.name == home]
    return [each for each in found if plain(each.name) == plain(name)] or found


def public_class(name: str) -> tuple[str, type] | None:
    """Return the package and the class of a public name that is no part, such as ``Activation``, or None."""
    from importlib import import_module

    for package in ("wsolkit", "wsolkit.evaluation"):
        module = import_module(package)
        if name in module.__all__ and isinstance(found := getattr(module, name), type):
            return package, found
    return None


def print_overview(plugins: Plugins, console: Console) -> None:
    """Print the names of the methods, the interfaces, a line each, and how to see more."""
    from rich.columns import Columns

    from wsolkit.cli.inventory import interface_rows

    methods = sorted((each for each, _ in plugins.methods), key=lambda each: each.name.lower())
    sources = {each.name: source.distribution for each, source in plugins.methods}
    marks = {name: "" if source == "wsolkit" else f" ({source})" for name, source in sources.items()}
    console.print("Methods")
    console.print(Columns([f" {each.name}{marks[each.name]}" for each in methods], column_first=True, padding=(0, 1)))
    for warning in dict.fromkeys(each.warning for each in methods if each.warning):
        console.print(f" {warning}: {', '.join(each.name for each in methods if each.warning == warning)}")
    console.print("\nInterfaces, and how many parts there are for each")
    print_lines([(name, str(count), summary) for name, summary, count in interface_rows(plugins)], console)
    console.print("\nMore")
    hints = [
        ("wsolkit list losses", "the parts of one interface"),
        ("wsolkit list methods", "what each method is, with its paper and configurations"),
        ("wsolkit list configs", "the configurations that are shipped"),
        ("wsolkit list benchmarks", "the benchmarks that are shipped"),
        ("wsolkit list --all", "everything; with --json for programs"),
        ("wsolkit show NAME", "one method, part, interface or configuration"),
    ]
    print_lines([(name, "", what) for name, what in hints], console)
    print_left_out(inventory_of_left_out(plugins), console)


def inventory_of_left_out(plugins: Plugins) -> dict[str, list[Any]]:
    """Return the plugins that were left out, as ``inventory`` does."""
    from wsolkit.cli.inventory import origin

    broken = [{**origin(each.source), "reason": each.reason} for each in plugins.broken]
    return {"broken": broken, "disabled": list(plugins.disabled)}


def print_lines(rows: list[tuple[str, str, str]], console: Console) -> None:
    """Print rows in columns, each in one line; what does not fit is cut off."""
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 1), expand=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*row)
    console.print(table)


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
            mark = "" if each["trained_with"] in ("labels", "nothing") else f" (trained with {each['trained_with']})"
            table.add_row(each["name"] + mark, each["plugin"], version, cited, ", ".join(each["configs"]))
        console.print(table)
    for key, title in (("configs", "configurations"), ("benchmarks", "benchmarks")):
        if found[key]:
            table = Table("name", "what it does", title=title, title_justify="left")
            for each in found[key]:
                table.add_row(each["name"], each["summary"])
            console.print(table)
    print_left_out(found, console)


def print_left_out(found: dict[str, list[Any]], console: Console) -> None:
    """Print which plugins were left out, and why."""
    for each in found["broken"]:
        console.print(
            f"broken: plugin {each['plugin']!r} of {each['distribution']} {each['version']}: {each['reason']}"
        )
    if found["disabled"]:
        console.print(f"disabled: {', '.join(found['disabled'])}")


def print_interface(interface: Interface, plugins: Plugins, console: Console) -> None:
    """Print what an interface is, which methods its parts override, and the parts there are."""
    from wsolkit.cli.inventory import first_line, inventory
    from wsolkit.sources.classes import class_node, doc_of, method_lines

    console.rule(f"{interface.name} (interface, {interface.home.name})")
    found = class_node(f"{interface.module}:{interface.name}")
    console.print(interface.summary or (doc_of(found[0]) if found else first_line(interface.cls.__doc__)))
    console.print(f"\nfrom            {interface.module}.{interface.name}")
    for heading, abstract in (("Every part has", True), ("A part may override", False)):
        lines = method_lines(found[0], abstract) if found else []
        if lines:
            console.print(f"\n{heading}\n", style="bold")
            console.print("\n".join(f"    {line}".rstrip() for line in lines[:-1]))
    console.print()
    print_tables(inventory(plugins, interface.home.name), console)


def print_class(package: str, shown: type, console: Console) -> None:
    """Print what a class of wsolkit that is no part is for, and its own methods."""
    from inspect import getdoc, isfunction, signature

    from wsolkit.cli.inventory import first_line

    console.rule(f"{shown.__name__} (class)")
    console.print(f"from {package} import {shown.__name__}\n", style="bold")
    console.print(getdoc(shown) or "It has no description.")
    own = {name: each for name, each in vars(shown).items() if not name.startswith("_")}
    for name, each in own.items():
        method = getattr(each, "__func__", each)  # that of a class method
        if isfunction(method):
            console.print(f"\n{name}{signature(method)}", style="bold")
            console.print(f"    {first_line(method.__doc__)}")
        elif isinstance(each, property):
            console.print(f"\n{name}", style="bold")
            console.print(f"    {first_line(each.__doc__)}")


def print_component(component: Component, plugins: Plugins, console: Console) -> None:
    """Print a component's signature, docstring and source, and the cards that name it."""
    from rich.markdown import Markdown

    from wsolkit.cli.inventory import conventions_of, description, file_of_component, written

    console.rule(f"{component.written_name} ({component.interface})")
    console.print("\n".join(written(component)), style="bold")
    console.print()
    console.print(description(component) or "It has no description.")
    console.print()
    if component.interface == "protocol":
        console.print(f"{conventions_of(component)}\n")
        needs: frozenset[str] = getattr(component.cls, "needs", frozenset())
        console.print(f"needs           {', '.join(sorted(needs)) or 'nothing'}")
    print_source(component.source, file_of_component(component), console)
    cards = [(method.name, method.card_text()) for method, source in plugins.methods if source == component.source]
    for name, text in cards or [(component.source.plugin, card_beside(component.source))]:
        if component.name in text:
            console.rule(f"the card of {name}")
            console.print(Markdown(text))


def card_beside(source: Source) -> str:
    """Return the card of a plugin that describes no method: ``card.md`` beside it; empty where there is none."""
    from wsolkit.sources.classes import file_of

    file = file_of(source.module.partition(":")[0])
    card = None if file is None else file.with_name("card.md")
    return card.read_text("utf-8") if card is not None and card.is_file() else ""


def print_method(method: Method, source: Source, console: Console) -> None:
    """Print a method's paper, configurations and printed numbers, and its card."""
    from rich.markdown import Markdown

    console.rule(f"{method.name} (method)")
    console.print(method.summary)
    if method.other_names:
        console.print(f"also called     {', '.join(method.other_names)}")
    console.print(f"\npaper           {method.title}")
    console.print(f"authors         {method.authors}")
    console.print(f"venue           {method.venue} {method.year}")
    note = ": not weakly supervised" if method.warning else ""
    console.print(f"trained with    {method.trained_with}{note}")
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
