"""Files that appear whole or not at all, and names of files in folders."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from wsolkit.errors import DataError

__all__ = [
    "HALF",
    "LOCK",
    "disk_fails",
    "half_written",
    "hash_file",
    "path_below",
    "remove_half_written",
    "whole_file",
    "write_json",
    "write_text",
]

HALF = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)(-\d+)?\.part")
"""How ``whole_file`` calls a file that it has not put in its place."""
LOCK = ".wsolkit.lock"
"""The file by which ``wsolkit.lock`` keeps others out of a folder."""
NAME_BYTES = 255
"""How long a file's name may be, on nearly every system."""

_numbers = itertools.count()
_writing: set[Path] = set()
"""The files that this process is writing."""


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to, which becomes ``path`` when the block ends well and is removed otherwise.

    A reader sees the old file or the new one, never a part, also after a power cut. Errors of the operating system name
    ``path``.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole_file(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("done")
    >>> [entry.name for entry in folder.iterdir()]
    ['a.txt']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = f".{os.getpid()}-{next(_numbers)}.part"  # no two writers share it, processes or threads
    temporary = path.with_name(f".{first_bytes(path.name, NAME_BYTES - 1 - len(ending))}{ending}")
    _writing.add(temporary)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.filename in (None, str(temporary)):  # a full disk is told without a name
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
        _writing.discard(temporary)


def disk_fails(error: OSError) -> bool:
    """Whether nothing more can be written to a disk: it is full, a quota is used up, it is read-only or broken.

    >>> disk_fails(OSError(errno.ENOSPC, "No space left on device")), disk_fails(FileNotFoundError())
    (True, False)
    """
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


def first_bytes(name: str, most: int) -> str:
    """Return the begin of a name, ``most`` bytes at most.

    >>> first_bytes("Zaunkönig.jpg", 6)
    'Zaunk'
    """
    return os.fsencode(name)[:most].decode(errors="ignore") if len(os.fsencode(name)) > most else name


def write_text(path: str | Path, text: str) -> None:
    """Write a text file, whole or not at all; bytes of files' names that are no UTF-8 are written as escapes."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: str | Path, value: Any) -> None:
    """Write a JSON file, whole or not at all; names of files come back as they were, whatever their bytes.

    >>> import tempfile
    >>> path, name = Path(tempfile.mkdtemp()) / "a.json", "caf" + chr(0xDCE9)
    >>> write_json(path, name)
    >>> json.loads(path.read_text(encoding="utf-8")) == name
    True
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def hash_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def half_written(folder: Path, below: bool = False) -> list[Path]:
    """Return the files of a folder, and of those below it where asked, that a killed process left half written.

    >>> import tempfile
    >>> half_written(Path(tempfile.mkdtemp()))
    []
    """
    found = folder.rglob(".*.part") if below else folder.glob(".*.part")
    return [path for path in found if HALF.fullmatch(path.name)]


def remove_half_written(folder: Path, below: bool = False) -> None:
    """Remove the files of a folder, and of those below it where asked, that killed processes left half written.

    Files that a process of this machine may still be writing stay.
    """
    for path in half_written(folder, below):
        half = HALF.fullmatch(path.name)
        if half is not None and path not in _writing and not is_alive(int(half["process"])):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Whether another process of this machine has that number.

    >>> is_alive(os.getpid())
    False
    """
    if process == os.getpid():
        return False
    if sys.platform == "win32":  # where a signal would end it; a file that is being written cannot be removed there
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def path_below(folder: str | Path, name: str, suffix: str = "") -> Path:
    """Return the path of a file below a folder that is named after an image; ``/`` in the name makes sub-folders.

    Args:
        folder: where the files of all images lie.
        name: the image's name, such as ``2007_000032`` or ``owls/1.jpg``.
        suffix: what is put behind the name.

    Raises:
        DataError: the name would lead out of the folder, on this system or on another one, or is too long for a file.

    >>> path_below("cues", "owls/1", ".png").as_posix()
    'cues/owls/1.png'
    """
    there, elsewhere = PurePosixPath(name), PureWindowsPath(name)
    leads_out = Path(name).anchor or there.is_absolute() or elsewhere.root or ".." in elsewhere.parts
    if not there.parts or leads_out or "\0" in name:
        raise DataError(
            f"The image id {name!r} is no name for a file below a folder: it is empty, or leads out of "
            f"{str(folder) or '.'}. Give the image another one."
        )
    path = Path(folder) / f"{name}{suffix}"
    longest = max((len(os.fsencode(part)) if os.name != "nt" else len(part) for part in there.parts[:-1]), default=0)
    longest = max(longest, len(os.fsencode(path.name)) if os.name != "nt" else len(path.name))
    if longest > NAME_BYTES:
        raise DataError(
            f"The image id {first_bytes(name, 60)!r}... is too long for a file below {str(folder) or '.'}: a name of "
            f"{longest} bytes is needed, and {NAME_BYTES} are the most. Give the image a shorter one."
        )
    return path
