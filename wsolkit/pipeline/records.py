"""What a stage's folder says about itself: ``begun.json`` while it works, ``stage.json`` when it is done.

Both are written whole. They hold everything that decided the result, the fingerprint of that, and the name of the
run, which is another one whenever the stage is done anew.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wsolkit.errors import ConfigError, PluginError
from wsolkit.files import HALF, LOCK, half_written, write_json
from wsolkit.folders import check_no_links
from wsolkit.pipeline.fingerprint import Declaration
from wsolkit.versions import versions

__all__ = [
    "BEGUN",
    "DONE",
    "RECORDS",
    "begin",
    "check_links",
    "finish",
    "holds_no_result",
    "read_record",
    "remove_leftovers",
    "set_aside",
]

BEGUN = "begun.json"
DONE = "stage.json"
RECORDS = (BEGUN, DONE)


def begin(folder: Path, declaration: Declaration, runs: Mapping[str, str]) -> dict[str, Any]:
    """Write ``begun.json`` into a stage's folder, before anything else, and return what it holds.

    Args:
        folder: the folder; made where it is missing.
        declaration: everything that decides the result.
        runs: by name, the runs of the earlier stages that this one builds on.
    """
    record = {
        "fingerprint": declaration.fingerprint,
        "run": uuid.uuid4().hex[:12],
        "runs": dict(runs),
        "begun": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        **asdict(declaration),
    }
    write_json(folder / BEGUN, record)
    for path in half_written(folder):
        path.unlink(missing_ok=True)
    return record


def finish(folder: Path, record: Mapping[str, Any], numbers: Mapping[str, float], seconds: float) -> dict[str, Any]:
    """Write ``stage.json``, last of all, and return what it holds.

    Args:
        folder: the stage's folder.
        record: what ``begun.json`` holds.
        numbers: what the stage returned.
        seconds: how long it took, since it was last taken up.

    Raises:
        PluginError: the stage returned something else than named numbers.
    """
    done = {
        **record,
        "numbers": checked_numbers(numbers),
        "seconds": round(seconds, 3),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "versions": versions(),
    }
    write_json(folder / DONE, done)
    (folder / BEGUN).unlink(missing_ok=True)
    return done


def checked_numbers(numbers: Any) -> dict[str, float | None]:
    """Return named numbers as JSON has them: None for NaN and infinity.

    Raises:
        PluginError: they are something else.

    >>> checked_numbers({"boxes": 3, "share": float("nan")})
    {'boxes': 3.0, 'share': None}
    """
    try:
        found = {str(name): float(value) for name, value in dict(numbers or {}).items()}
    except (TypeError, ValueError) as error:
        raise PluginError(f"A stage returns named numbers, such as {{'boxes': 12}}, but got {numbers!r}.") from error
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def read_record(folder: Path) -> tuple[dict[str, Any], bool] | None:
    """Return the record of a stage's folder and whether the stage is done, or None where there is no record.

    Raises:
        ConfigError: it cannot be read.
    """
    for name in (DONE, BEGUN):
        path = folder / name
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"{path} cannot be read ({error}), so it is not known what {folder} holds. Move the folder away."
            ) from None
        if not is_record(record, done=name == DONE):
            raise ConfigError(f"{path} is no record of a stage. Move the folder {folder} away.")
        return record, name == DONE
    return None


def is_record(content: Any, done: bool) -> bool:
    """Whether the content of a JSON file is the record of a stage.

    >>> is_record({"fingerprint": "ab", "run": "1", "inputs": {"a.txt": 3}}, done=False)
    False
    """
    if not isinstance(content, dict):
        return False
    needed: dict[str, Any] = {"fingerprint": str, "run": str} | (
        {"numbers": dict, "seconds": (int, float)} if done else {}
    )
    mappings = ("runs", "arguments", "builds_on", "settings", "inputs")
    numbers = (content.get("numbers") or {}) if done else {}
    return (
        all(isinstance(content.get(key), kind) for key, kind in needed.items())
        and all(isinstance(content.get(key) or {}, dict) for key in mappings)
        and all(isinstance(state, list) for state in (content.get("inputs") or {}).values())
        and all(value is None or isinstance(value, (int, float)) for value in numbers.values())
    )


def holds_no_result(folder: Path) -> bool:
    """Whether a stage that was begun has left nothing in its folder but that it was begun."""
    for path in folder.rglob("*"):
        ours = path == folder / BEGUN or path.name == LOCK or HALF.fullmatch(path.name)
        if path.is_symlink() or not (ours or path.is_dir()):
            return False
    return True


def set_aside(folder: Path) -> None:
    """Remove a stage's folder: first under another name, so that a half-removed one is never taken for results."""
    if folder.is_symlink():
        raise ConfigError(f"{folder} is a link, which is not followed to remove results. Remove it, or what it holds.")
    away = folder.with_name(f".{folder.name}.removed")
    shutil.rmtree(away, ignore_errors=True)
    folder.rename(away)
    shutil.rmtree(away)


def check_links(folder: Path) -> None:
    """Look for links among the folders of a stage that is about to go on.

    Raises:
        ConfigError: there is one: what lies behind it is not the stage's.
    """
    for root, inner, _ in os.walk(folder):
        check_no_links(root, inner, "--work-dir")


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed run left half written below a stage's folder, or half removed beside it."""
    shutil.rmtree(folder.with_name(f".{folder.name}.removed"), ignore_errors=True)
    if not (folder / BEGUN).exists():  # done, or not ours
        return
    for path in half_written(folder, below=True):
        path.unlink(missing_ok=True)
