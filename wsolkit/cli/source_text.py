"""What the source of a class says of it, read without importing it, so that ``wsolkit list`` and ``show`` are quick.

Where the source alone does not say it (arguments handed on, computed defaults, decorated classes), nothing is guessed:
the caller imports the class instead.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["class_node", "doc_of", "file_of", "method_lines", "signature_of"]


def file_of(module: str) -> Path | None:
    """Return the file of a module, or None; of packages, the topmost one alone is looked up, and none is imported."""
    top, *inner = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    if not inner:
        return Path(spec.origin)
    for folder in spec.submodule_search_locations or ():
        path = Path(folder, *inner)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


@cache
def tree_of(file: Path) -> ast.Module | None:
    """Return the parsed source of a file, or None where it is no Python source."""
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def class_node(path: str) -> tuple[ast.ClassDef, ast.Module, Path] | None:
    """Return where ``module:Class`` is defined, through the modules that only pass it on, or None.

    >>> node, _, file = class_node("wsolkit.interfaces.array_parts:BoxExtractor")
    >>> node.name, file.name
    ('BoxExtractor', 'array_parts.py')
    """
    module, _, name = path.partition(":")
    file = file_of(module)
    tree = None if file is None else tree_of(file)
    if file is None or tree is None:
        return None
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return None if node.decorator_list else (node, tree, file)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return class_node(f"{source_module(node, module, file)}:{alias.name}")
    return None


def source_module(node: ast.ImportFrom, module: str, file: Path) -> str:
    """Return the full name of the module that an import names."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    package = parts if file.name == "__init__.py" else parts[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def doc_of(node: ast.ClassDef | ast.FunctionDef) -> str:
    """Return the docstring of a class or a function, its own and no parent's; empty where it has none."""
    return ast.get_docstring(node) or ""


def signature_of(node: ast.ClassDef, tree: ast.Module, starred: bool = True) -> list[str] | None:
    """Return the arguments of a class as ``name: type = default``, or None where only the class itself knows them.

    Args:
        node: the class.
        tree: the module it is in.
        starred: whether ``*`` and ``**`` are what they seem; a data set shows what it passes on in their place.
    """
    written = any(isinstance(each, ast.ImportFrom) and each.module == "__future__" for each in tree.body)
    makers = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    if not written or len(makers) != 1 or makers[0].decorator_list:
        return None
    given = makers[0].args
    if (given.vararg or given.kwarg) and not starred:
        return None
    plain = [*given.posonlyargs, *given.args][1:]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    named = list(zip(given.kwonlyargs, given.kw_defaults, strict=True))
    try:
        return [
            *(argument_text(argument, default) for argument, default in zip(plain, defaults, strict=True)),
            *([f"*{argument_text(given.vararg, None)}"] if given.vararg else []),
            *(argument_text(argument, default) for argument, default in named),
            *([f"**{argument_text(given.kwarg, None)}"] if given.kwarg else []),
        ]
    except ValueError:  # a default is computed
        return None


def argument_text(argument: ast.arg, default: ast.expr | None) -> str:
    """Return ``name: type = default`` of an argument.

    Raises:
        ValueError: the default is no plain value.
    """
    kind = "" if argument.annotation is None else f": {ast.unparse(argument.annotation)}"
    return f"{argument.arg}{kind}" + ("" if default is None else f" = {ast.literal_eval(default)!r}")


def method_lines(node: ast.ClassDef, abstract: bool) -> list[str]:
    """Return the methods of an interface, each with its arguments and its docstring.

    Args:
        node: the interface's class.
        abstract: those that have to be overridden, or else those that may be.
    """
    lines: list[str] = []
    for each in node.body:
        if not isinstance(each, ast.FunctionDef) or (each.name.startswith("_") and each.name != "__call__"):
            continue
        if any(ast.unparse(mark).endswith("abstractmethod") for mark in each.decorator_list) is not abstract:
            continue
        answer = "" if each.returns is None else f" -> {ast.unparse(each.returns)}"
        lines += [f"{each.name}({ast.unparse(each.args)}){answer}"]
        lines += [f"    {line}".rstrip() for line in doc_of(each).splitlines()]
        lines += [""]
    return lines
