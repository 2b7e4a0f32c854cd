"""The file that an evaluation leaves behind, ``results.json``, and the folder it lies in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError
from wsolkit.files import write_json

__all__ = ["RESULTS", "prepare_folder", "write_results_file"]

RESULTS = "results.json"


def prepare_folder(folder: str | Path, overwrite: bool = False) -> Path:
    """Check, before anything is computed, that results may be written to a folder; nothing is changed.

    Args:
        folder: a new or empty one, or one of an earlier evaluation.
        overwrite: whether earlier results may be replaced.

    Raises:
        ConfigError: the folder holds something else, or earlier results that may not be replaced.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; results need a folder. Choose another --out.")
    path = folder / RESULTS
    if not path.exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise ConfigError(
                f"{folder} is not empty and holds no results of ours (no {RESULTS}). Choose a new folder as --out; "
                "nothing was changed."
            )
        return folder
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ours = isinstance(content, dict) and "wsolkit" in content and "results" in content
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise ConfigError(f"{path} was not written by wsolkit evaluate. Choose another --out; nothing was changed.")
    if not overwrite:
        raise ConfigError(f"{folder} holds the results of an earlier run. Choose another --out, or add --overwrite.")
    return folder


def write_results_file(folder: Path, content: dict[str, Any]) -> Path:
    """Write ``results.json`` into a folder, whole or not at all, and return its path.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    path = folder / RESULTS
    try:
        write_json(path, content)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}. Choose another --out.") from error
    return path
