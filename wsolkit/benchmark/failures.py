"""What a failed task leaves in its folder, so that the others go on and the table can say why it is missing."""

from __future__ import annotations

import json
import time
import traceback
import uuid
from dataclasses import dataclass
from pathlib import Path

from wsolkit.errors import WsolkitError
from wsolkit.files import write_json

__all__ = ["FAILED", "Failure", "forget_failure", "keep_failure", "read_failure"]

FAILED = "failed.json"


@dataclass(frozen=True)
class Failure:
    """Why a training or a test failed.

    Attributes:
        words: the message.
        attempt: which attempt it was; another one has another name.
        at: when it was, in seconds since 1970.
    """

    words: str
    attempt: str
    at: float = 0.0


def keep_failure(folder: Path, error: Exception) -> Failure:
    """Write why a task failed into its folder; a mistake in code comes with where it arose."""
    words = str(error) if isinstance(error, WsolkitError) else f"{type(error).__name__}: {error}"
    where = None if isinstance(error, WsolkitError) else "".join(traceback.format_exception(error))
    failure = Failure(" ".join(words.split()), uuid.uuid4().hex[:12], time.time())
    when = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    facts = {"error": failure.words, "attempt": failure.attempt, "at": failure.at, "when": when, "traceback": where}
    write_json(folder / FAILED, facts)
    return failure


def read_failure(folder: Path) -> Failure | None:
    """Return why the task of a folder failed when it was last tried, or None where it did not."""
    try:
        content = json.loads((folder / FAILED).read_text(encoding="utf-8"))
        return Failure(str(content["error"]), str(content["attempt"]), float(content.get("at", 0.0)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def forget_failure(folder: Path) -> None:
    """Remove what an earlier attempt left, once a task is done."""
    (folder / FAILED).unlink(missing_ok=True)
