"""The folder a comparison is written to: new, empty, or one of the same runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from wsolkit.folders import claim_folder
from wsolkit.report.comparison import path_words
from wsolkit.report.evaluation import Evaluation

__all__ = ["NUMBERS", "prepare_comparison_folder"]

NUMBERS = "compare.json"


def prepare_comparison_folder(folder: str | Path, runs: Sequence[Evaluation], overwrite: bool = False) -> Path:
    """Check that a comparison may and can be written to a folder; nothing is changed.

    Args:
        folder: a new or empty one, or one of an earlier comparison.
        runs: what is compared; a comparison of the same files, in any order, may be replaced.
        overwrite: whether a comparison of other runs may be replaced too.

    Returns:
        the folder.

    Raises:
        ConfigError: the folder is a file, cannot be written to, or holds something else, or a comparison of other runs
            that may not be replaced.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> prepare_comparison_folder(folder / "new", []) == folder / "new"
    True
    """
    paths = sorted(path_words(run.path) for run in runs)

    def other_runs(path: Path) -> str | None:
        earlier = compared_paths(path)
        return f"a comparison of other runs ({', '.join(earlier)})" if sorted(earlier) != paths else None

    claim_folder(folder, "comparisons", NUMBERS, other_runs, overwrite, writer="wsolkit compare")
    return Path(folder)


def compared_paths(path: Path) -> list[str]:
    """Return which files an earlier comparison compared, absolute.

    Raises:
        ValueError: the file is none of ours.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not {"runs", "numbers", "against_first"} <= content.keys():
            raise ValueError(f"{path} lacks what a comparison writes")
        runs = [each for run in content["runs"] for each in run.get("seeds", [run])]
        return [path_words(Path(run["path"])) for run in runs]
    except (RecursionError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error
