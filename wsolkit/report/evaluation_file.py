"""The file that an evaluation leaves behind, ``results.json``, and the folder it lies in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError
from wsolkit.files import claim_folder, write_json

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
    claim_folder(folder, "results", RESULTS, earlier_results, overwrite, writer="wsolkit evaluate")
    return Path(folder)


def earlier_results(path: Path) -> str:
    """Say what a folder with a ``results.json`` holds.

    Raises:
        ValueError: the file is none of ours.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not {"wsolkit", "results"} <= content.keys():
        raise ValueError(f"{path} lacks what an evaluation writes")
    return "the results of an earlier run"


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
