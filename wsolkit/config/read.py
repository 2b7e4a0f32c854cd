"""Reads a configuration file and what it builds on, with other values of its plain variables where asked for.

mmengine reads the files. Some of its inner steps are replaced meanwhile, which is why its version is pinned: where a
base lies (so that ``_base_`` may say ``wsolkit::NAME``, and ``mmdet::NAME`` without ``pkg_resources``), what becomes of
the source of a file before it runs (so that a plain variable has its new value while the file is read, and whatever the
file makes of it follows), how YAML and JSON are read (as data, see ``wsolkit.config.data_files``), and what mmengine
announces meanwhile.
"""

from __future__ import annotations

import ast
import inspect
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mmengine
from mmengine.config import Config, ConfigDict, config as engine
from mmengine.utils import get_object_from_string

from wsolkit.config.data_files import read_data
from wsolkit.config.data_only import is_data_only
from wsolkit.config.find import find_config
from wsolkit.config.other_packages import installed_path, is_installed
from wsolkit.errors import ConfigError, nearest
from wsolkit.registry import SCOPE

__all__ = ["check_computed", "read_config"]

SHIPPED = "wsolkit::"
"""How ``_base_`` names a shipped configuration."""

_one_at_a_time = threading.RLock()


def read_config(path: Path, variables: Mapping[str, Any] | None = None) -> Config:
    """Read a configuration file and what it builds on.

    ``_base_`` may name a shipped configuration as ``wsolkit::NAME`` beside files relative to the configuration, and so
    may every file that it builds on.

    Args:
        path: the file.
        variables: values of plain variables, by name. A Python file that assigns such a name at its top gives it this
            value instead, also where other files build on it.

    Raises:
        ConfigError: it does not parse, fails while it runs, or builds on itself or on a file that is not there; with
            file and line. Or a model from a checkpoint alone asks for it.
    """
    if is_data_only():
        raise ConfigError(
            f"{path} was not read: a model from a checkpoint alone runs no code, and a configuration in Python is "
            "code. Name the model's configuration before the checkpoint, if you trust both files."
        )
    check_source(path, ())
    files = {path.resolve()}
    try:
        with engine_reads(dict(variables or {}), files):
            lazy = is_lazy(path)
            config = Config.fromfile(path, lazy_import=None if lazy else False)
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:  # a configuration is code and may fail in any way
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        said = f"{where(error, path, files)}: {what}. Correct the configuration."
        given = ", ".join(f"{name}={value!r}" for name, value in (variables or {}).items())
        raise ConfigError(f"{path} cannot be read with {given}: {said}" if given else said) from None
    if path.suffix != ".py":
        for name, value in (variables or {}).items():
            config[name] = value
    if path.suffix == ".py" and not lazy:
        name_types(config._cfg_dict)
    return config


def name_types(node: Any) -> None:
    """Write the classes and functions that stand as a ``type`` by their paths: a configuration is kept as text.

    >>> config = ConfigDict(optimizer={"type": Path})
    >>> name_types(config)
    >>> config.optimizer.type
    'pathlib.Path'
    """
    if isinstance(node, dict):
        kind = node.get("type")
        if inspect.isclass(kind) or inspect.isfunction(kind):
            path = f"{kind.__module__}.{kind.__qualname__}"
            if get_object_from_string(path) is kind:
                node["type"] = kind.__name__ if path.startswith(f"{SCOPE}.") else path
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, (dict, list, tuple)):
            name_types(value)


def check_computed(variables: Mapping[str, Any], config: Mapping[str, Any], path: Path) -> None:
    """Compare variables with what was read.

    Raises:
        ConfigError: the file computes one of them.
    """
    for name, value in variables.items():
        if config.get(name) != value:
            raise ConfigError(f"The option {name} cannot be set: {path} computes it. Set what it is computed from.")


@contextmanager
def engine_reads(variables: Mapping[str, Any], files: set[Path]) -> Iterator[None]:
    """Let mmengine find shipped bases, set variables and read data; ``files`` is filled with the bases it opens."""
    theirs, removing, saying = Config._get_cfg_path, engine.RemoveAssignFromAST, engine.print_log
    to_dict, loading, loading_bases = Config._file2dict, engine.load, mmengine.load
    asking, finding = engine.is_installed, engine.get_installed_path
    trail: list[Path] = []

    def cfg_path(base: str, filename: str) -> tuple[str, str | None]:
        file = base_file(Path(filename), base)
        found, scope = theirs(base, filename) if file is None else (str(file), None)
        files.add(Path(found).resolve())
        return found, scope

    def file_to_dict(filename: str, *args: Any, **kwargs: Any) -> Any:
        path = Path(filename).resolve()
        check_no_circle(path, tuple(trail))
        trail.append(path)
        try:
            return to_dict(filename, *args, **kwargs)
        finally:
            trail.pop()

    def load(file: str) -> dict[str, Any]:  # mmengine's copy of a file, with its placeholders filled
        return read_data(Path(file), trail[-1])

    class WithVariables(engine.RemoveAssignFromAST):
        """Removes ``_base_``, as mmengine's own, and what was only imported; sets variables."""

        def visit(self, node: ast.AST) -> Any:
            if isinstance(node, ast.Module) and (names := imported(node)):
                node.body += ast.parse("; ".join(f"globals().pop({name!r}, None)" for name in sorted(names))).body
            for name, statement in assignments(node) if isinstance(node, ast.Module) else ():
                if name in variables and statement.value is not None:
                    value = ast.parse(repr(plain(variables[name])), mode="eval").body
                    statement.value = ast.fix_missing_locations(ast.copy_location(value, statement.value))
            return super().visit(node)

    with _one_at_a_time:
        Config._get_cfg_path, engine.RemoveAssignFromAST = staticmethod(cfg_path), WithVariables
        engine.print_log = say_nothing  # a logger needs torch
        Config._file2dict, engine.load, mmengine.load = staticmethod(file_to_dict), load, load
        engine.is_installed, engine.get_installed_path = is_installed, installed_path
        try:
            yield
        finally:
            Config._get_cfg_path, engine.RemoveAssignFromAST = staticmethod(theirs), removing
            Config._file2dict, engine.load, mmengine.load = staticmethod(to_dict), loading, loading_bases
            engine.is_installed, engine.get_installed_path = asking, finding
            engine.print_log = saying


def is_lazy(path: Path) -> bool:
    """Whether a configuration is written in mmengine's lazy style, whose imports stand for parts and are not run.

    That is one with ``with read_base():``, or without ``_base_`` and with an imported name as a ``type``. In any other,
    imports are Python's own: ``import os`` gives the module.
    """
    if path.suffix != ".py":
        return False
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    if any(isinstance(node, ast.With) for node in nodes):
        return True
    if any(name == "_base_" for name, _ in assignments(tree)):
        return False
    kinds = [word.value for node in nodes if isinstance(node, ast.Call) for word in node.keywords if word.arg == "type"]
    for node in nodes:
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            kinds += [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "type"]
    names = {alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return any(isinstance(kind, ast.Name) and kind.id in names for kind in kinds)


def imported(tree: ast.Module) -> set[str]:
    """Return the names that a file imports from modules and gives no value: these are no part of a configuration.

    >>> imported(ast.parse("from pathlib import Path; from math import pi; pi = 3; import os"))
    {'Path'}
    """
    found = [statement for statement in tree.body if isinstance(statement, ast.ImportFrom)]
    names = {alias.asname or alias.name for statement in found for alias in statement.names} - {"*"}
    return names - {name for name, _ in assignments(tree)}


def assignments(tree: ast.Module) -> Iterator[tuple[str, ast.Assign | ast.AnnAssign]]:
    """Yield the statements at the top of a file that give a value to one name, with the name.

    >>> [name for name, _ in assignments(ast.parse("a = 1; b: int = 2; c, d = 3, 4; e()"))]
    ['a', 'b']
    """
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name):
                yield targets[0].id, statement


def plain(value: Any) -> Any:
    """Return a value without mmengine's classes, so that its text is Python."""
    return ConfigDict(value=value).to_dict()["value"]


def say_nothing(*args: Any, **kwargs: Any) -> None:
    """Take what mmengine announces, such as every environment variable that a configuration reads."""


def where(error: BaseException, path: Path, files: set[Path]) -> str:
    """Return the file and line of a configuration at which an error arose."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).resolve() in files:
            return f"{frame.filename}:{frame.lineno}"
    return str(path)


def base_file(path: Path, base: str) -> Path | None:
    """Return the file that ``_base_`` of a configuration names, or None where it lies in another package.

    Raises:
        ConfigError: wsolkit and its plugins ship no configuration of that name.
    """
    if base.startswith(SHIPPED):
        return find_config(base.removeprefix(SHIPPED)).resolve()
    return None if "::" in base else path.resolve().parent / base


def base_lines(tree: ast.Module) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that set ``_base_`` with what they name, where that is written out.

    Raises:
        ConfigError: it is no list of names.
    """
    for name, statement in assignments(tree):
        if name == "_base_" and statement.value is not None:
            try:
                bases = ast.literal_eval(statement.value)
            except ValueError:
                continue  # computed: mmengine evaluates it
            bases = [bases] if isinstance(bases, str) else bases
            if not isinstance(bases, (list, tuple)) or not all(isinstance(base, str) for base in bases):
                raise ConfigError(
                    f"_base_ in line {statement.lineno} should be one name of a file or a list of them, not {bases!r}."
                )
            yield statement.lineno, list(bases)


def check_source(path: Path, trail: tuple[Path, ...]) -> None:
    """Parse a configuration and the files it builds on.

    Raises:
        ConfigError: with file and line.
    """
    path = path.resolve()
    check_no_circle(path, trail)
    if path.suffix != ".py":
        return
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        text = f": {error.text.strip()}" if error.text and error.text.strip() else ""
        raise ConfigError(f"{path}:{error.lineno}: {error.msg}{text}. Correct the line.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration {path} cannot be read: {error}.") from None
    for line, bases in base_lines(tree):
        for base in bases:
            if "://" in base:
                continue
            try:
                file = base_file(path, base)
            except ConfigError as error:
                raise ConfigError(f"{path}:{line}: {error}") from None
            if file is None:
                continue
            if not file.is_file():
                others = [other.name for other in file.parent.glob("*.py")] if file.parent.is_dir() else []
                raise ConfigError(
                    f"{path}:{line}: _base_ names {base!r}, but there is no file {file}. {nearest(file.name, others)}"
                )
            check_source(file, (*trail, path))


def check_no_circle(path: Path, trail: tuple[Path, ...]) -> None:
    """Compare a configuration with those that build on it.

    Raises:
        ConfigError: it is among them.
    """
    if path in trail:
        between = ", ".join(map(str, trail[trail.index(path) + 1 :])) or "_base_"
        raise ConfigError(f"{path} builds on itself through {between}. Break the circle.")
