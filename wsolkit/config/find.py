"""Finds configurations: by path, or by name among those that wsolkit and its plugins ship."""

from __future__ import annotations

import ast
import os
import re
import tempfile
import traceback
from collections.abc import Iterator, Mapping
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

    ``_base_`` may name a shipped configuration as ``wsolkit::NAME`` beside files relative to the configuration, and so
    may every file that it builds on.

    Raises:
        ConfigError: it does not parse, fails while it runs, or builds on itself or on a file that is not there; with
            file and line.
    """
    check_source(path, ())
    read: dict[Path, Path] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = with_plain_bases(path, Path(folder), read)
        try:
            with without_remarks():
                config = Config.fromfile(file)
        except ConfigError:
            raise
        except Exception as error:  # a configuration is code and may fail in any way
            said = with_originals(f"{where(error, file, read)}: {type(error).__name__}: {error}", read)
            raise ConfigError(f"{said}. Correct the configuration.") from None
    if file == path:
        return config
    return Config(config.to_dict(), cfg_text=with_originals(config.text, read), filename=str(path))


@contextmanager
def without_remarks() -> Iterator[None]:
    """Keep mmengine from announcing every environment variable that a configuration reads."""
    logger = MMLogger.get_current_instance()
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def with_plain_bases(path: Path, folder: Path, read: dict[Path, Path]) -> Path:
    """Return the configuration, or a copy where it, or one that it builds on, says ``wsolkit::NAME`` in ``_base_``.

    Args:
        path: the configuration, after ``check_source``.
        folder: takes the copies, each in a folder of its own. They name the files they build on by full paths.
        read: filled with the file to read for each Python file that the configuration builds on, and for itself.
    """
    if path.suffix != ".py" or not path.is_file():
        return path
    if path not in read:
        text = path.read_text(encoding="utf-8")
        node, bases = next(base_lines(ast.parse(text)), (None, []))
        files = [base_file(path, base) for base in bases]
        plain = [file and with_plain_bases(file, folder, read) for file in files]
        if node is None or (plain == files and not any(base.startswith(SHIPPED) for base in bases)):
            read[path] = path
        else:
            copy = folder / str(len(read)) / path.name
            copy.parent.mkdir()
            text = with_bases(text, node.value, [str(file or base) for file, base in zip(plain, bases, strict=True)])
            here = path.absolute().parent.as_posix()
            copy.write_text(re.sub(r"\{\{\s*fileDirname\s*\}\}", lambda _: here, text), encoding="utf-8")
            read[path] = copy
    return read[path]


def with_bases(text: str, value: ast.expr, bases: list[str]) -> str:
    """Return the text of a configuration with another value of ``_base_``; every line keeps its number."""
    lines = text.split("\n")
    first, last = value.lineno - 1, (value.end_lineno or value.lineno) - 1
    before = lines[first].encode()[: value.col_offset].decode()  # ast counts bytes
    behind = lines[last].encode()[value.end_col_offset :].decode()
    lines[first : last + 1] = [f"{before}{repr(bases)[:-1]}" + "\n" * (last - first) + f"]{behind}"]
    return "\n".join(lines)


def with_originals(text: str, read: Mapping[Path, Path]) -> str:
    """Return a text with the names of configurations in place of those of their copies."""
    for path, copy in read.items():
        text = text.replace(str(copy), str(path))
    return text


def base_file(path: Path, base: str) -> Path | None:
    """Return the file that ``_base_`` of a configuration names, or None where it lies in another package.

    Raises:
        ConfigError: wsolkit and its plugins ship no configuration of that name.
    """
    if base.startswith(SHIPPED):
        return find_config(base.removeprefix(SHIPPED)).resolve()
    return None if "::" in base else path.resolve().parent / base


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


def where(error: BaseException, path: Path, read: Mapping[Path, Path]) -> str:
    """Return the file and line of a configuration at which an error arose."""
    files = {copy.resolve() for copy in read.values()}
    frames = traceback.extract_tb(error.__traceback__)[::-1]
    inside = [frame for frame in frames if Path(frame.filename).resolve() in files]
    for frame in inside or [frame for frame in frames if is_config(frame.filename)]:
        return f"{frame.filename}:{frame.lineno}"
    return str(path)


def is_config(filename: str) -> bool:
    """Whether a file on the traceback may be a configuration that a computed ``_base_`` names."""
    if not filename.endswith(".py") or "site-packages" in filename:
        return False
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
        between = ", ".join(map(str, trail[trail.index(path) + 1 :])) or "_base_"
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
            if "://" in base:
                continue
            try:
                file = base_file(path, base)
            except ConfigError as error:
                raise ConfigError(f"{path}:{node.lineno}: {error}") from None
            if file is None:
                continue
            if not file.is_file():
                others = [other.name for other in file.parent.glob("*.py")] if file.parent.is_dir() else []
                raise ConfigError(
                    f"{path}:{node.lineno}: _base_ names {base!r}, but there is no file {file}. "
                    f"{nearest(file.name, others)}"
                )
            check_source(file, (*trail, path))
