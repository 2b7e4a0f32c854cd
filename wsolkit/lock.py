"""One writer at a time in a folder."""

from __future__ import annotations

import errno
import os
import platform
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from wsolkit.errors import ConfigError
from wsolkit.files import LOCK, remove_half_written

__all__ = ["TakenError", "held_by_parent", "locked", "remove_empty"]

TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""What the operating system answers where another process has the lock; a file system may have no locks at all."""


class TakenError(ConfigError):
    """Somebody else works in the folder."""


_guard = threading.Lock()
_held: dict[str, tuple[int, str]] = {}
"""By folder, the thread of this process that has locked it, and for what: the system only tells processes apart."""


@contextmanager
def locked(folder: str | Path, what: str = "pipeline", option: str = "--work-dir") -> Iterator[None]:
    """Keep other writers out of a folder; the lock ends with the process, however that ends.

    The folder is made where it is missing, and is gone again afterwards where nothing was written to it. What killed
    processes have left half written in it is removed. A thread may lock a folder that it has locked already.

    Args:
        folder: where is written.
        what: what works there, such as ``prediction``, for those who are kept out.
        option: what the user chooses the folder with, for messages.

    Raises:
        TakenError: something else works in the folder.
        ConfigError: it cannot be written to.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with locked(folder, "training"):
    ...     [path.name for path in folder.iterdir()]
    ['.wsolkit.lock']
    >>> list(folder.iterdir())
    []
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file, but results are written to a folder. Choose another {option}.")
    key, me = os.path.realpath(folder), threading.get_ident()  # which takes a link to itself, too
    with _guard:  # before the file is opened: closing it would end the other's lock
        thread, other = _held.get(key, (None, ""))
        _held.setdefault(key, (me, what))
    if thread == me:
        yield
        return
    if thread is not None:
        raise TakenError(f"Another {other} of this very process works in {folder}. Choose another {option}.")
    try:
        with lock_file(folder, what, option):
            remove_half_written(folder)
            yield
    finally:
        del _held[key]


@contextmanager
def held_by_parent(folder: str | Path) -> Iterator[None]:
    """Let this thread work in a folder that the process has locked which started this one and waits for its end.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with held_by_parent(folder), locked(folder, "training"):
    ...     list(folder.iterdir())
    []
    """
    key = os.path.realpath(folder)
    with _guard:
        _held[key] = (threading.get_ident(), "process")
    try:
        yield
    finally:
        del _held[key]


@contextmanager
def lock_file(folder: Path, what: str, option: str) -> Iterator[None]:
    """Hold the lock file of a folder; it is removed at the end, with folders that were made for it alone.

    Raises:
        TakenError: another process holds it.
        ConfigError: it cannot be written.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    path = folder / LOCK
    try:
        file = taken(path, option)
    except OSError as error:
        remove_empty(made)
        why = error.strerror or error
        raise ConfigError(f"{folder} cannot be written to: {why}. Choose another {option}.") from error
    try:
        with file:
            file.truncate(0)
            file.write(f"{what}\nprocess {os.getpid()} on {platform.node()} since {time.strftime('%H:%M:%S')}".encode())
            file.flush()
            try:
                yield
            finally:
                if sys.platform != "win32" and is_at(file, path):  # while it is held, so that nobody has taken it yet
                    with suppress(OSError):
                        path.unlink()
    finally:
        if sys.platform == "win32":  # where an open file cannot be removed, not even one that another has opened
            with suppress(OSError):
                path.unlink()
        remove_empty(made)


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders that hold nothing, in this order; the others stay."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def taken(path: Path, option: str) -> BinaryIO:
    """Return a lock file, open and locked; its folder is made where it is missing.

    Raises:
        TakenError: another process has it; says who.
        OSError: it cannot be written.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("ab+")
        except FileNotFoundError:  # the one before has just removed the folder that it had made
            continue
        try:
            take(file)
        except OSError:
            file.seek(0)
            what, _, who = file.read().decode("utf-8", "replace").partition("\n")
            file.close()
            raise TakenError(
                f"Another {what or 'process'} works in {path.parent} ({who or 'its number is not known'}). Wait for "
                f"its end, or choose another {option}."
            ) from None
        if is_at(file, path):
            return file
        file.close()  # the one before has just removed it


def is_at(file: BinaryIO, path: Path) -> bool:
    """Whether an open file is still the one that lies at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def take(file: BinaryIO) -> None:
    """Lock a file for this process, not for those it starts: killed workers that linger hold nothing.

    A file system without locks has none to wait for.

    Raises:
        OSError: another process has it.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 20)  # beyond the text, which others may read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in TAKEN:
            raise
