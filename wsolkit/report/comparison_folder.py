"""The folder a comparison is written to: new, empty, or one of the same runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from wsolkit.errors import ConfigError
from wsolkit.report.comparison import path_words
from wsolkit.report.runs import Run

__all__ = ["NUMBERS", "prepare_comparison_folder"]

NUMBERS = "compare.json"


def prepare_comparison_folder(folder: str | Path, runs: Sequence[Run], overwrite: bool = False) -> Path:
    """Check that a comparison may be written to a folder; nothing is changed.

    Args:
        folder: a new or empty one, or one of an earlier comparison.
        runs: what is compared; a comparison of the same files, in any order, may be replaced.
        overwrite: whether a comparison of other runs may be replaced too.

    Returns:
        the folder.

    Raises:
        ConfigError: the folder is a file, cannot be read, holds something else, or a comparison of other runs that may
            not be replaced.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> prepare_comparison_folder(folder / "new", []) == folder / "new"
    True
    """
    folder = Path(folder)
    path = folder / NUMBERS
    try:
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"--out should be a folder, but {folder} is a file. Name another.")
        if not path.exists():
            if folder.is_dir() and any(folder.iterdir()):
                raise ConfigError(
                    f"{folder} is not empty and holds no comparison of ours (no {NUMBERS}). Choose a new folder as "
                    "--out; nothing was changed."
                )
            return folder
        earlier = compared_paths(path)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {error.strerror or error}. Choose another --out.") from error
    if earlier is None:
        raise ConfigError(f"{path} was not written by wsolkit compare. Choose another --out; nothing was changed.")
    if not overwrite and sorted(earlier) != sorted(path_words(run.path) for run in runs):
        raise ConfigError(
            f"{folder} holds a comparison of other runs ({', '.join(earlier)}). Choose another --out, or add "
            "--overwrite; nothing was changed."
        )
    return folder


def compared_paths(path: Path) -> list[str] | None:
    """Return which files an earlier comparison compared, absolute; None where the file is none of ours.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not {"runs", "numbers", "against_first"} <= content.keys():
            return None
        return [path_words(Path(run["path"])) for run in content["runs"]]
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):  # no UTF-8 is a ValueError too
        return None
