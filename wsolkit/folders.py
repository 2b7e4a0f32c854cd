"""Whether results may be written into a folder: asked before any work is done, and nothing is changed."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from wsolkit.errors import ConfigError
from wsolkit.files import HALF, LOCK

__all__ = ["check_no_links", "claim_folder", "insist", "is_untouched"]

T = TypeVar("T")
TRIES = 100


def is_untouched(folder: Path, *markers: str) -> bool:
    """Whether a folder is missing or empty, but for a lock and files of these names that were cut off in the writing.

    >>> import tempfile
    >>> is_untouched(Path(tempfile.mkdtemp()) / "new")
    True
    """
    if not folder.is_dir():
        return not folder.exists() and not folder.is_symlink()
    try:
        names = [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:  # another process has just tried whether it can be made
        return True
    halves = (HALF.fullmatch(name) for name in names if name != LOCK)
    return all(half is not None and half["name"] in markers for half in halves)


def claim_folder(
    folder: str | Path,
    what: str,
    marker: str,
    earlier: Callable[[Path], str | None],
    overwrite: bool = False,
    *,
    writer: str = "wsolkit",
    option: str = "--out",
) -> bool:
    """Say whether results may be written into a folder, before any work is done; nothing in it is changed.

    It may be new or empty, or hold earlier results that can be gone on with or may be replaced. A file is written into
    it and removed again, and so is the folder where there was none.

    Args:
        folder: where to write.
        what: what is written, such as ``predictions``.
        marker: name of the file by which a folder is known as one of ours.
        earlier: given the marker's path, says what the folder holds that would be lost, as in "predictions of other
            settings"; None where nothing would be. Raises ValueError where the file is none of ours.
        overwrite: whether earlier results may be lost.
        writer: the command that writes such folders, for messages.
        option: what the user chooses the folder with, for messages.

    Returns:
        Whether it holds earlier results.

    Raises:
        ConfigError: the folder is a file or a stranger's, cannot be written to, or holds results that would be lost.

    >>> import tempfile
    >>> claim_folder(Path(tempfile.mkdtemp()) / "new", "boxes", "run.json", lambda path: "boxes of other images")
    False
    """
    folder = Path(folder)
    path = folder / marker
    try:
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{folder} is a file, but {what} are written to a folder. Choose another {option}.")
        if folder.is_symlink() and not folder.exists():
            raise ConfigError(
                f"{folder} is a link that leads nowhere, but {what} are written to a folder. Remove it, or choose "
                f"another {option}."
            )
        untouched = is_untouched(folder, marker)
        found = path.exists()  # asked last: the marker of a process that begins at the same time comes first
        if found:
            check_earlier(path, earlier, overwrite, writer, option)
        elif not untouched:
            raise ConfigError(
                f"{folder} is not empty and holds no {what} of ours (no {marker}). Choose a new folder as {option}; "
                "nothing was changed."
            )
        probe(folder, marker)
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"{folder} cannot be written to: {why}. Choose another {option}.") from error
    return found


def check_earlier(path: Path, earlier: Callable[[Path], str | None], overwrite: bool, writer: str, option: str) -> None:
    """Refuse a folder whose marker is not ours, or whose results would be lost unasked; see ``claim_folder``."""
    try:
        lost = earlier(path)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:  # JSON of any other kind
        raise ConfigError(
            f"{path} was not written by {writer}. Choose another {option}; nothing was changed."
        ) from error
    if lost and not overwrite:
        raise ConfigError(
            f"{path.parent} holds {lost}. Choose another {option}, or add --overwrite; nothing was changed."
        )


def insist(make: Callable[[], T]) -> T:
    """Return what a function returns that makes a folder and writes into it, called again where the folder went away.

    Another process that does the same removes folders that it had made for a moment, as long as they are empty.
    """
    for _ in range(TRIES):
        with suppress(FileNotFoundError, FileExistsError):
            return make()
        time.sleep(0.001)
    return make()


def probe(folder: Path, marker: str) -> None:
    """Write a file into a folder and remove it, with every folder that had to be made for it.

    To others that look into the folder meanwhile it is a marker that is being written.

    Raises:
        OSError: this is not possible.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    path = folder / f".{marker}.{os.getpid()}-{secrets.randbits(32)}.part"

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"0")

    try:
        insist(write)
    finally:
        with suppress(OSError):
            path.unlink()
        for each in made:
            with suppress(OSError):  # it was never made, or someone else has written to it
                each.rmdir()


def check_no_links(folder: str | Path, names: Iterable[str], option: str = "--out") -> None:
    """Look for links where folders are written to and cleared: what lies behind one is not ours to change.

    Args:
        folder: where results are written; it may be a link itself, for somebody has named it.
        names: the folders inside.
        option: what the user chooses the folder with, for messages.

    Raises:
        ConfigError: one of them is a link.

    >>> import tempfile
    >>> check_no_links(tempfile.mkdtemp(), ["parts"])
    """
    for name in names:
        path = Path(folder) / name
        if path.is_symlink():
            raise ConfigError(
                f"{path} is a link, and nothing is written or removed behind one. Remove the link, or choose another "
                f"{option}; nothing was changed."
            )
