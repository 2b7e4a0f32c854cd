"""One pipeline at a time in a folder."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from wsolkit.errors import ConfigError

__all__ = ["locked"]

NAME = ".pipeline.lock"
_held: set[Path] = set()
"""Folders that this process has locked: the operating system tells processes apart, not two runs in one."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other pipelines out of a folder; the lock ends with the process, however that ends.

    Raises:
        ConfigError: another pipeline works in the folder, or it cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; a pipeline needs a folder. Choose another --work-dir.")
    key = folder.resolve()
    if key in _held:  # not after the file was opened: closing it would end the other's lock
        raise ConfigError(f"A pipeline of this very process works in {folder}. Choose another --work-dir.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / NAME).open("ab+")
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"{folder} cannot be written to: {why}. Choose another --work-dir.") from error
    with file:
        try:
            take(file)
        except OSError:
            file.seek(0)
            who = file.read().decode("utf-8", "replace").strip() or "its process is not known"
            raise ConfigError(
                f"Another pipeline works in {folder} ({who}). Wait for its end, or choose another --work-dir."
            ) from None
        _held.add(key)
        try:
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()} since {time.strftime('%H:%M:%S')}".encode())
            file.flush()
            yield
        finally:
            _held.discard(key)
            file.truncate(0)


def take(file: BinaryIO) -> None:
    """Lock a file for this process, not for those it starts: killed workers that linger hold nothing.

    Raises:
        OSError: another process has it.
    """
    if sys.platform == "win32":
        import msvcrt

        file.seek(1 << 20)  # beyond the text, which others may read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
