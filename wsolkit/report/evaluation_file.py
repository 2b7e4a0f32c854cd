"""The file that an evaluation leaves behind, ``results.json``, and the folder it lies in."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError
from wsolkit.files import write_json

__all__ = ["PAGE", "RESULTS", "prepare_folder", "write_results_file"]

RESULTS = "results.json"
PAGE = "index.html"
"""The page beside the results, see ``wsolkit.report.page``."""


def prepare_folder(folder: str | Path, overwrite: bool = False) -> Path:
    """Check, before anything is computed, that results may and can be written to a folder; nothing is changed.

    A file is written there and removed again, and so is the folder where there was none.

    Args:
        folder: a new or empty one, or one of an earlier evaluation.
        overwrite: whether earlier results may be replaced.

    Raises:
        ConfigError: the folder holds something else, or earlier results that may not be replaced, or cannot be
            written to.
    """
    folder = Path(folder)
    try:
        check_ownership(folder, overwrite)
        probe(folder)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written to: {error.strerror or error}. Choose another --out.") from error
    return folder


def check_ownership(folder: Path, overwrite: bool) -> None:
    """Check that a folder is new, empty, or holds results of ours that may be replaced.

    Raises:
        ConfigError: it is not.
        OSError: the folder cannot be listed.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; results need a folder. Choose another --out.")
    path = folder / RESULTS
    if not path.exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise ConfigError(
                f"{folder} is not empty and holds no results of ours (no {RESULTS}). Choose a new folder as --out; "
                "nothing was changed."
            )
        return
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ours = isinstance(content, dict) and "wsolkit" in content and "results" in content
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise ConfigError(f"{path} was not written by wsolkit evaluate. Choose another --out; nothing was changed.")
    if not overwrite:
        raise ConfigError(f"{folder} holds the results of an earlier run. Choose another --out, or add --overwrite.")


def probe(folder: Path) -> None:
    """Write a file into a folder and remove it, with every folder that had to be made for it.

    Raises:
        OSError: this is not possible.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
    finally:
        for each in made:
            with suppress(OSError):  # it was never made, or someone else has written to it
                each.rmdir()


def write_results_file(folder: Path, content: dict[str, Any]) -> Path:
    """Write ``results.json`` into a folder, whole or not at all, and return its path.

    A page of earlier results is removed first, so that none lies beside numbers it does not show.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    path = folder / RESULTS
    try:
        (folder / PAGE).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{folder / PAGE}, the page of earlier results, cannot be removed: {error.strerror or error}. Choose "
            f"another --out; {RESULTS} was not changed."
        ) from error
    try:
        write_json(path, content)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}. Choose another --out.") from error
    return path
