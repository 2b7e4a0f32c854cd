"""Finds configurations: by path, or by name among those that wsolkit and its plugins ship."""

from __future__ import annotations

import os
from pathlib import Path

import wsolkit
from wsolkit.errors import ConfigError, nearest
from wsolkit.plugins.loading import load_methods

__all__ = ["config_dirs", "config_files", "find_config"]


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
