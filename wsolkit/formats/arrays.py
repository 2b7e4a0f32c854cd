"""Named arrays in files, read one at a time and from any thread; nothing in a file is ever executed.

A folder of ``.npy`` files has one array per file, named by its path in the folder without ``.npy``. ``.npz`` and
``.safetensors`` files, alone or as shards in a folder, hold many under their own names.
"""

from __future__ import annotations

import os
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from safetensors import safe_open

from wsolkit.errors import DataError

__all__ = ["SUFFIXES", "Arrays", "open_arrays"]

SUFFIXES = (".npz", ".safetensors")
"""Files that hold many arrays."""

MAGIC = b"\x93NUMPY"
"""What every .npy file begins with."""

OPEN_FILES = 8
"""Files of many arrays that a thread keeps open."""


class Arrays:
    """Arrays by name.

    Attributes:
        path: what was given.
        files: the file of each array, by name.
        many: whether files hold many arrays under names of their own.
    """

    def __init__(self, path: Path, files: Mapping[str, Path], many: bool) -> None:
        self.path = path
        self.files = dict(files)
        self.many = many
        self._local = threading.local()

    def read(self, name: str) -> np.ndarray:
        """Return one array, as it is stored; bfloat16 becomes float32.

        Raises:
            DataError: it is not there, damaged, or holds Python objects.
        """
        if name not in self.files:
            raise DataError(f"{self.path} holds no array {name!r}.")
        file = self.files[name]
        try:
            if not self.many:
                with file.open("rb") as opened:
                    if opened.read(len(MAGIC)) != MAGIC:
                        raise ValueError("it is no .npy file, or is damaged")
                return np.load(file, mmap_mode="r", allow_pickle=False)
            found = self._opened(file)(name)
            if not isinstance(found, np.ndarray):
                raise ValueError("it is no array")
            return found
        except Exception as error:  # damaged files raise anything from OSError to zlib.error
            if "allow_pickle" in str(error) or "Python objects" in str(error):
                reason = "it holds Python objects, which are never loaded. Save it as an array of numbers, (H, W)"
            else:
                reason = f"{str(error) or type(error).__name__}. Write it again"
            raise DataError(f"Array {name!r} in {file} cannot be read: {reason}.") from error

    def shapes(self) -> Iterator[tuple[int, ...]]:
        """Yield the shape of each array by its header, without those that are damaged: reading them says so."""
        for file in dict.fromkeys(self.files.values()):
            try:
                yield from shapes_in(file)
            except Exception:
                continue

    def _opened(self, file: Path) -> Callable[[str], Any]:
        """Return what reads arrays of a file; each thread has its own few open files."""
        waiting: OrderedDict[Path, Callable[[str], Any]] = self._local.__dict__.setdefault("opened", OrderedDict())
        if file not in waiting:
            if len(waiting) >= OPEN_FILES:
                waiting.popitem(last=False)
            waiting[file] = reader_of(file)
        waiting.move_to_end(file)
        return waiting[file]


def shapes_in(file: Path) -> Iterator[tuple[int, ...]]:
    """Yield the shapes of the arrays in a file, by their headers."""
    if file.suffix.lower() == ".safetensors":
        with safe_open(str(file), framework="pt") as tensors:
            yield from (tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    elif file.suffix.lower() == ".npz":
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    yield header_shape(member)
    else:
        with file.open("rb") as opened:
            yield header_shape(opened)


def header_shape(file: IO[bytes]) -> tuple[int, ...]:
    """Return the shape that the header of a ``.npy`` file states.

    >>> import io
    >>> np.save(file := io.BytesIO(), np.zeros((3, 2)))
    >>> _ = file.seek(0)
    >>> header_shape(file)
    (3, 2)
    """
    old = np.lib.format.read_magic(file) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    return read(file)[0]


def reader_of(file: Path) -> Callable[[str], Any]:
    """Open a file of many arrays and return what reads one of them."""
    if file.suffix.lower() == ".npz":
        return np.load(file, allow_pickle=False).__getitem__
    tensors = safe_open(str(file), framework="pt")

    def read(name: str) -> np.ndarray:
        tensor = tensors.get_tensor(name)
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()

    return read


def open_arrays(path: str | Path) -> Arrays:
    """List the arrays of a file or folder, without reading them.

    Args:
        path: a ``.npz`` or ``.safetensors`` file, a folder of such shards (also one that ``wsolkit predict --maps``
            wrote, with its ``maps/`` inside), or a folder of ``.npy`` files, in subfolders or not.

    Raises:
        DataError: there is nothing of the kind, a file is damaged, or two shards share a name.
    """
    path = Path(path)
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(
                f"{path} is no {' or '.join(SUFFIXES)} file. Give one of these, or a folder of .npy files named after "
                "the images."
            )
        return Arrays(path, dict.fromkeys(names_in(path), path), many=True)
    if not path.is_dir():
        raise DataError(f"There is no file or folder {path}. Check the path.")
    inner = path / "maps"
    shards = shards_in(path) or (shards_in(inner) if inner.is_dir() else [])
    files = dict(npy_files(path)) if not shards or shards[0].parent == path else {}
    if shards and files:
        raise DataError(
            f"Folder {path} holds both .npy files and {shards[0].name}. Keep maps apart from other arrays, and "
            "maps of one kind in a folder."
        )
    if shards:
        for shard in shards:
            for name in names_in(shard):
                if name in files:
                    raise DataError(f"{name!r} is in both {files[name]} and {shard}. Remove one of them.")
                files[name] = shard
        return Arrays(path, files, many=True)
    if not files:
        raise DataError(
            f"Folder {path} holds no .npy, .npz or .safetensors file. Save each map as <image id>.npy, or many in one "
            "file with numpy.savez_compressed(path, **{image_id: map})."
        )
    return Arrays(path, files, many=False)


def shards_in(folder: Path) -> list[Path]:
    """Return the files of many arrays that lie directly in a folder, sorted."""
    found = [each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES and not each.name.startswith(".")]
    return sorted(found)


def npy_files(folder: Path) -> list[tuple[str, Path]]:
    """Return (name, file) of the ``.npy`` files below a folder, sorted; a name has ``/`` between folders."""
    found = []
    for current, _, names in os.walk(folder, followlinks=True):
        for name in names:
            if name.endswith(".npy") and not name.startswith("."):
                file = Path(current) / name
                found.append((file.relative_to(folder).as_posix().removesuffix(".npy"), file))
    return sorted(found)


def names_in(file: Path) -> list[str]:
    """Return the names of the arrays in a file of many, without reading them.

    Raises:
        DataError: the file is damaged, or is no such file.
    """
    try:
        if file.suffix.lower() == ".npz":
            with zipfile.ZipFile(file) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
        else:
            with safe_open(str(file), framework="pt") as tensors:
                names = list(tensors.keys())
    except Exception as error:  # safetensors has its own error, zipfile three
        raise DataError(f"{file} cannot be read as a {file.suffix} file: {error}. Write it again.") from error
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{file} holds {twice!r} twice. Write it again with one array for each name.")
    if not names:
        raise DataError(f"{file} holds no array. Write the maps again.")
    return names
