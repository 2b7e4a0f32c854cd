"""Finds configurations: by path, or by name among those that wsolkit and its plugins ship."""

from __future__ import annotations

import ast
import os
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import MMLogger

import wsolkit
from wsolkit.errors import ConfigError, nearest
from wsolkit.plugins import load_plugins

__all__ = ["config_dirs", "config_files", "find_config", "read_config"]

SHIPPED = "wsolkit::"
"""How ``_base_`` names a shipped configuration."""


def config_dirs() -> list[Path]:
    """Return the folders of shipped configurations: wsolkit's own first, then those of plugins."""
    package = Path(wsolkit.__file__).resolve().parent
    candidates = [package / "configs", package.parent / "configs"]
    candidates += [Path(method.config_dir) for method, _ in load_plugins().methods if method.config_dir]
    found: list[Path] = []
    for folder in candidates:
        if folder.is_dir() and folder not in found:
            found.append(folder)
    return found


def config_files() -> dict[str, Path]:
    """Return the shipped configurations by name; parts that others build on (``_base_``) are left out."""
    files: dict[str, Path] = {}
    for folder in config_dirs():
        for path in sorted(folder.rglob("*.py")):
            inside = path.relative_to(folder)
            if not any(part.startswith(("_", ".")) for part in inside.parts):
                files.setdefault(path.stem, path)
    return files


def find_config(name_or_path: str | Path) -> Path:
    """Return the file of a configuration given by path or by name.

    Raises:
        ConfigError: there is none; the message offers the nearest names.
    """
    text = str(name_or_path)
    path = Path(text).expanduser()
    if path.is_file():
        return path
    known = config_files()
    if text in known:
        return known[text]
    stem = path.stem if path.suffix == ".py" else path.name
    if path.suffix or os.sep in text:
        raise ConfigError(f"There is no configuration file {text}. {nearest(stem, known)}")
    raise ConfigError(f"There is no configuration named {text!r}. {nearest(stem, known)}")


def read_config(path: Path) -> Config:
    """Read a configuration file and what it builds on.

    ``_base_`` may name a shipped configuration as ``wsolkit::NAME`` beside files relative to the configuration.

    Raises:
        ConfigError: it does not parse, fails while it runs, or builds on a file that is not there; with file and line.
    """
    check_source(path, ())
    with tempfile.TemporaryDirectory() as folder:
        file = with_plain_bases(path, Path(folder))
        try:
            with without_remarks():
                config = Config.fromfile(file)
        except ConfigError:
            raise
        except Exception as error:  # a configuration is code and may fail in any way
            said = f"{where(error, file)}: {type(error).__name__}: {error}".replace(str(file), str(path))
            raise ConfigError(f"{said}. Correct the configuration.") from None
    return config if file == path else Config(config.to_dict(), cfg_text=config.text, filename=str(path))


@contextmanager
def without_remarks() -> Iterator[None]:
    """Keep mmengine from announcing every environment variable that a configuration reads."""
    logger = MMLogger.get_current_instance()
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def with_plain_bases(path: Path, folder: Path) -> Path:
    """Return the configuration, or a copy in ``folder`` with paths where ``_base_`` says ``wsolkit::NAME``."""
    if path.suffix != ".py":
        return path
    text = path.read_text(encoding="utf-8")
    for node, bases in base_lines(ast.parse(text)):
        if not any(base.startswith(SHIPPED) for base in bases):
            continue
        plain = [
            str(find_config(base.removeprefix(SHIPPED)) if base.startswith(SHIPPED) else path.resolve().parent / base)
            for base in bases
        ]
        lines = text.splitlines(keepends=True)
        taken = (node.end_lineno or node.lineno) - node.lineno
        lines[node.lineno - 1 : node.end_lineno] = [f"_base_ = {plain!r}" + "\n" * (taken + 1)]
        copy = folder / path.name
        copy.write_text("".join(lines), encoding="utf-8")
        return copy
    return path


def base_lines(tree: ast.Module) -> Iterator[tuple[ast.Assign, list[str]]]:
    """Yield the assignments to ``_base_`` with what they name, where that is written out."""
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not any(
            isinstance(target, ast.Name) and target.id == "_base_" for target in node.targets
        ):
            continue
        try:
            bases = ast.literal_eval(node.value)
        except ValueError:
            continue  # computed: mmengine evaluates it
        yield node, [bases] if isinstance(bases, str) else list(bases)


def where(error: BaseException, path: Path) -> str:
    """Return the file and line of a configuration at which an error arose."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(".py") and "site-packages" not in frame.filename and is_config(frame.filename):
            return f"{frame.filename}:{frame.lineno}"
    return str(path)


def is_config(filename: str) -> bool:
    """Whether a file on the traceback is a configuration rather than a part of wsolkit."""
    package = Path(wsolkit.__file__).resolve().parent
    path = Path(filename).resolve()
    return not path.is_relative_to(package) or path.is_relative_to(package / "configs")


def check_source(path: Path, trail: tuple[Path, ...]) -> None:
    """Parse a configuration and the files it builds on.

    Raises:
        ConfigError: with file and line.
    """
    path = path.resolve()
    if path in trail:
        between = ", ".join(map(str, trail[1:])) or "_base_"
        raise ConfigError(f"{path} builds on itself through {between}. Break the circle.")
    if path.suffix != ".py":
        return
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        line = f": {error.text.strip()}" if error.text and error.text.strip() else ""
        raise ConfigError(f"{path}:{error.lineno}: {error.msg}{line}. Correct the line.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration {path} cannot be read: {error}.") from None
    for node, bases in base_lines(tree):
        for base in bases:
            if base.startswith(SHIPPED) and not trail:
                find_config(base.removeprefix(SHIPPED))
                continue
            if base.startswith(SHIPPED):
                raise ConfigError(
                    f"{path}:{node.lineno}: _base_ names {base!r}, but {path.name} is a base itself. "
                    f"Name {base!r} in {trail[0].name} instead."
                )
            if "::" in base or "://" in base:
                continue
            file = path.parent / base
            if not file.is_file():
                others = [other.name for other in file.parent.glob("*.py")] if file.parent.is_dir() else []
                raise ConfigError(
                    f"{path}:{node.lineno}: _base_ names {base!r}, but there is no file {file}. "
                    f"{nearest(file.name, others)}"
                )
            check_source(file, (*trail, path))
