"""What the source of a class says of it, read without importing it, so that commands can list, show and refuse quickly.

Where the source alone does not say it, nothing is guessed: the caller imports the class instead.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

__all__ = ["ClassSource", "class_node", "constant", "doc_of", "file_of", "method_lines", "parents_of"]


class ClassSource(NamedTuple):
    """A class in its source: its node, the tree of its module, the file, and the module's name."""

    node: ast.ClassDef
    tree: ast.Module
    file: Path
    module: str


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


def statements_of(file: Path, tree: ast.Module) -> list[ast.stmt]:
    """Return what stands at the top of a module; of a package that loads its names lazily, these as well."""
    listed = tree_of(file.with_suffix(".pyi"))
    return [*tree.body, *(listed.body if listed else ())]


@cache
def class_node(path: str, passed: frozenset[str] = frozenset()) -> ClassSource | None:
    """Return where ``module:Class`` is defined, through the modules that only pass it on, or None.

    Args:
        path: the class.
        passed: where was looked already; modules may import each other in circles.

    >>> found = class_node("wsolkit.interfaces.array_parts:BoxExtractor")
    >>> found.node.name, found.file.name
    ('BoxExtractor', 'array_parts.py')
    """
    module, _, name = path.partition(":")
    file = file_of(module)
    tree = None if file is None else tree_of(file)
    if file is None or tree is None or path in passed:
        return None
    passed |= {path}
    for node in statements_of(file, tree):
        if isinstance(node, ast.ClassDef) and node.name == name:
            plain = all(ast.unparse(mark).partition("(")[0].endswith("register_module") for mark in node.decorator_list)
            return ClassSource(node, tree, file, module) if plain else None
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                source = source_module(node, module, file)
                if (alias.asname or alias.name) == name:
                    return class_node(f"{source}:{alias.name}", passed)
                if alias.name == "*" and (found := class_node(f"{source}:{name}", passed)):
                    return found
    return None


def source_module(node: ast.ImportFrom, module: str, file: Path) -> str:
    """Return the full name of the module that an import names."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    package = parts if file.name == "__init__.py" else parts[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def parents_of(found: ClassSource) -> Iterator[ClassSource | None]:
    """Yield the classes that a class derives from, in order; None for one that is not found in its source."""
    for base in found.node.bases:
        written = ast.unparse(base.value if isinstance(base, ast.Subscript) else base)
        if written in ("ABC", "Generic", "object"):
            continue
        holder, _, name = written.rpartition(".")
        module = imported_as(holder, found) if holder else found.module
        yield class_node(f"{module}:{name}") if module else None


def imported_as(name: str, found: ClassSource) -> str | None:
    """Return the module that a name stands for in the module of a class, or None."""
    for node in found.tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    if isinstance(node, ast.Import):
                        return alias.name
                    return f"{source_module(node, found.module, found.file)}.{alias.name}"
    return None


@cache
def constant(module: str, name: str, passed: frozenset[tuple[str, str]] = frozenset()) -> ast.expr | None:
    """Return what a name at the top of a module was given, through imports, or None.

    Args:
        module: the module.
        name: the name.
        passed: where was looked already; modules may import each other in circles.

    >>> ast.unparse(constant("wsolkit.model.localizer", "Precision"))
    "Literal['auto', 'bf16', 'fp32']"
    """
    file = file_of(module)
    tree = None if file is None else tree_of(file)
    if file is None or tree is None or (module, name) in passed:
        return None
    for node in statements_of(file, tree):
        if isinstance(node, ast.Assign) and name in assigned(node):
            return assigned(node)[name]
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name:
            return node.value
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return constant(source_module(node, module, file), alias.name, passed | {(module, name)})
    return None


def assigned(node: ast.Assign) -> dict[str, ast.expr]:
    """Return what an assignment gives to which names."""
    found: dict[str, ast.expr] = {}
    for target in node.targets:
        if isinstance(target, ast.Name):
            found[target.id] = node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=False)
            found |= {each.id: value for each, value in pairs if isinstance(each, ast.Name)}
    return found


def doc_of(node: ast.ClassDef | ast.FunctionDef) -> str:
    """Return the docstring of a class or a function, its own and no parent's; empty where it has none."""
    return ast.get_docstring(node) or ""


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
