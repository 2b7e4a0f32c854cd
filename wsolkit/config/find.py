"""Finds configurations and benchmarks: by path, or by name among those that wsolkit and its plugins ship."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import wsolkit
from wsolkit.errors import ConfigError, nearest
from wsolkit.plugins.loading import load_methods

__all__ = ["benchmark_files", "config_dirs", "config_files", "find_benchmark", "find_config"]

BENCHMARKS = "benchmarks"
"""The folder of the benchmarks among the configurations."""


def config_dirs() -> list[Path]:
    """Return the folders of shipped configurations: wsolkit's own first, then those of plugins."""
    package = Path(wsolkit.__file__).resolve().parent
    candidates = [package / "configs", package.parent / "configs"]
    candidates += [Path(method.config_dir) for method, _ in load_methods() if method.config_dir]
    found: list[Path] = []
    for folder in candidates:
        if folder.is_dir() and folder not in found:
            found.append(folder)
    return found


def config_files() -> dict[str, Path]:
    """Return the shipped configurations by name; benchmarks and what others build on (``_base_``) are left out."""
    return dict(shipped(lambda parts: parts[0] != BENCHMARKS))


def benchmark_files() -> dict[str, Path]:
    """Return the shipped benchmarks by name."""
    return dict(shipped(lambda parts: parts[0] == BENCHMARKS))


def shipped(wanted: Callable[[tuple[str, ...]], bool]) -> list[tuple[str, Path]]:
    """Return names and files whose path below their folder of configurations is wanted; of two of a name the first."""
    files: dict[str, Path] = {}
    for folder in config_dirs():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).parts
            if wanted(parts) and not any(part.startswith(("_", ".")) for part in parts):
                files.setdefault(path.stem, path)
    return list(files.items())


def find_config(name_or_path: str | Path) -> Path:
    """Return the file of a configuration given by path or by name.

    Raises:
        ConfigError: there is none; the message offers the nearest names.
    """
    return find(name_or_path, "configuration", config_files)


def find_benchmark(name_or_path: str | Path) -> Path:
    """Return the file of a benchmark given by path or by name.

    Raises:
        ConfigError: there is none; the message offers the nearest names.
    """
    return find(name_or_path, "benchmark", benchmark_files)


def find(name_or_path: str | Path, what: str, files: Callable[[], dict[str, Path]]) -> Path:
    """Return a file given by path or by name; see ``find_config``."""
    text = str(name_or_path)
    path = Path(text).expanduser()
    if path.is_file():
        return path
    known = files()
    if text in known:
        return known[text]
    stem = path.stem if path.suffix == ".py" else path.name
    if path.suffix or os.sep in text:
        raise ConfigError(f"There is no {what} file {text}. {nearest(stem, known)}")
    raise ConfigError(f"There is no {what} named {text!r}. {nearest(stem, known)}")
