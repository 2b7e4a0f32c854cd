"""Keeps the console readable: the whole log goes to the log file, the course of the training to the console."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any, TypeVar

__all__ = ["ConsoleFilter", "quietly_built"]

Built = TypeVar("Built")

FILE_ONLY = (
    "Exp name:",
    "Distributed training is not used",
    "Load checkpoint from",
    "Failed to search registry with scope",
    "The prefix is not set in metric class",
    "init_weights of",
    "Checkpoints will be saved",
    '"FileClient"',
    '"HardDiskBackend"',
    "The dataset metainfo from the resumed checkpoint",
    "Resumed iteration number is not divisible by",  # gradients of an unfinished update are in the checkpoint
)
"""Beginnings of mmengine's messages that say nothing a user could act upon."""

WEIGHTS = "Weights from "
"""Beginning of the line that says what fitted of a weight file."""


class ConsoleFilter(logging.Filter):
    """Lets warnings and one-line messages through; dumps of the configuration or the environment stay in the file."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a message belongs on the console."""
        text = record.getMessage()
        if text.startswith(FILE_ONLY):
            return False
        return record.levelno >= logging.WARNING or "\n" not in text.strip()


class ConsoleFormatter(logging.Formatter):
    """Prints the time and the message, and the level only where it is a warning or an error."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line of a record."""
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return f"{record.asctime} {level}{record.message}"


def quietly_built(build: Callable[[], Built]) -> Built:
    """Build mmengine's runner without its dumps on the console, and filter what it prints from then on.

    What it wrote before its logger could be reached is in the log file; warnings among it are printed again.
    """
    caught, raises = io.StringIO(), logging.raiseExceptions
    try:
        logging.raiseExceptions = False  # a log file that cannot be written would bring a traceback for each line
        with redirect_stdout(caught):
            runner: Any = build()
    finally:
        logging.raiseExceptions = raises
    for line in caught.getvalue().splitlines():
        if WEIGHTS in line:
            print(line[line.index(WEIGHTS) :])
        prefix, found, text = line.partition("WARNING")
        if found and len(prefix) < 60 and not any(start in text for start in FILE_ONLY):
            print(line, file=sys.stderr)
    for handler in runner.logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handleError = tell_once(handler)  # type: ignore[assignment]
        if type(handler) is logging.StreamHandler:
            handler.setStream(sys.stdout)
            handler.setFormatter(ConsoleFormatter())
            handler.addFilter(ConsoleFilter())
    return runner


def tell_once(handler: logging.FileHandler) -> Callable[[logging.LogRecord], None]:
    """Return what says once, without a traceback for each line, that a log file cannot be written."""
    told: list[str] = []

    def tell(_: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not told:
            told.append(handler.baseFilename)
            print(f"warning: the log {handler.baseFilename} cannot be written: {error}", file=sys.stderr)

    return tell
