"""Named arrays in files, read one at a time and from any thread; nothing in a file is ever executed.

A ``.npy`` file has one array, named by its path in the folder without ``.npy``. ``.npz`` and ``.safetensors`` files
have many under names of their own, the same wherever the file lies. One that has ``maps`` and ``classes`` is of one
image: its arrays are named by its path as well, as ``<path>/maps``.
"""

from __future__ import annotations

import io
import json
import math
import os
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from safetensors import safe_open

from wsolkit.errors import DataError

__all__ = ["OF_ONE_IMAGE", "Arrays", "Place", "open_arrays"]

OF_ONE_IMAGE = {"maps", "classes"}
"""Names of arrays by which a file is known to be of one image."""

SUFFIXES = (".npz", ".safetensors")
"""Files that hold many arrays."""

MAGIC, PICKLE = b"\x93NUMPY", b"\x80"
"""What every .npy file begins with, and a pickle."""

OPEN_FILES = 8
"""Files of many arrays that a thread keeps open."""

MOST_BYTES = 2**31
"""Bytes of an array in a ``.npz`` file, unpacked: a thousand zeros are one byte there."""

MOST_HEADER = 2**16
"""Bytes of the header of an array, which says its type and shape."""

HEADERS = threading.Lock()
"""Held while a header is read: numpy parses it with ``ast``, which Python 3.11 cannot do in several threads at once."""

PICKLED = (
    "it holds Python objects, such as the dict that IRN and others save. They could run code, so they are never "
    "loaded. Convert the file where you trust it: d = np.load(path, allow_pickle=True).item(); np.savez(path[:-4] + "
    "'.npz', maps=d['high_res'], classes=d['keys']), then remove it"
)


class Place(NamedTuple):
    """Where an array is: its file, and its name there; None in a .npy file."""

    file: Path
    name: str | None


class Arrays:
    """Arrays by name.

    Attributes:
        path: what was given.
        places: where each array is, by name.
    """

    def __init__(self, path: Path, places: Mapping[str, Place]) -> None:
        self.path = path
        self.places = dict(places)
        self._local = threading.local()

    def read(self, name: str) -> np.ndarray:
        """Return one array, as it is stored; bfloat16 becomes float32.

        Raises:
            DataError: it is not there, damaged, or holds Python objects.
        """
        if name not in self.places:
            raise DataError(f"{self.path} holds no array {name!r}.")
        file, own_name = self.places[name]
        try:
            if own_name is None:
                return read_npy(file)
            found = self._opened(file)(own_name)
            if not isinstance(found, np.ndarray):
                raise ValueError("it is no array")
            return found
        except Exception as error:  # damaged files raise anything from OSError to zlib.error
            pickled = "allow_pickle" in str(error) or "Python objects" in str(error)
            reason = PICKLED if pickled else f"{str(error) or type(error).__name__}. Write it again"
            told = [name, *filter(None, [name.rpartition("/")[0]])]  # arrays of one class are below their image's name
            raise DataError(f"Array {name!r} in {file} cannot be read: {reason}.", about=told) from error

    def shapes(self, names: Iterable[str]) -> Iterator[tuple[int, ...]]:
        """Yield the shapes in the files of some arrays, by their headers.

        Those that are damaged are left out: reading them says so.
        """
        for file in dict.fromkeys(self.places[name].file for name in names):
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


def read_npy(file: Path) -> np.ndarray:
    """Return the array of a ``.npy`` file, which stays on the disk until it is looked at."""
    with file.open("rb") as opened:
        start = opened.read(len(MAGIC))
    if start != MAGIC:
        raise ValueError("Python objects" if start.startswith(PICKLE) else "it is no .npy file, or is damaged")
    with file.open("rb") as opened:
        header_of(opened)  # numpy believes how long a header says it is
    with HEADERS:
        return np.load(file, mmap_mode="r", allow_pickle=False)


def reader_of(file: Path) -> Callable[[str], Any]:
    """Open a file of many arrays and return what reads one of them."""
    if file.suffix.lower() == ".npz":
        return partial(read_member, zipfile.ZipFile(file))
    tensors = safe_open(str(file), framework="np")

    def read(name: str) -> np.ndarray:
        return read_bfloat16(file, name) if tensors.get_slice(name).get_dtype() == "BF16" else tensors.get_tensor(name)

    return read


def read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return an array of a ``.npz`` file.

    Raises:
        ValueError: it is no array, too large, of another length than its header says, or holds Python objects.
    """
    if f"{name}.npy" not in archive.NameToInfo:
        raise ValueError("it is no array")
    size = archive.NameToInfo[f"{name}.npy"].file_size
    if size > MOST_BYTES:
        raise ValueError(
            f"it takes {size / 2**30:.1f} GiB unpacked, and no more than {MOST_BYTES / 2**30:.0f} are read"
        )
    with archive.open(f"{name}.npy") as file:
        shape, by_column, kind = header_of(file)
        if kind.hasobject:
            raise ValueError("Python objects")
        if math.prod(shape) * kind.itemsize != size - file.tell():
            raise ValueError(f"its header says {kind} {shape}, which the {size} bytes there are do not hold")
        values = np.frombuffer(bytearray(file.read()), kind)
    return values.reshape(shape, order="F" if by_column else "C")


def read_bfloat16(file: Path, name: str) -> np.ndarray:
    """Return a bfloat16 array of a ``.safetensors`` file, which numpy does not know, as float32.

    A bfloat16 is the upper half of a float32. The file begins with the length of its header and the header, in JSON.
    """
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        about = json.loads(opened.read(length))[name]
        start, end = about["data_offsets"]
        opened.seek(8 + length + start)
        upper = np.frombuffer(opened.read(end - start), "<u2")
    return (upper.astype(np.uint32) << 16).view(np.float32).reshape(about["shape"])


def shapes_in(file: Path) -> Iterator[tuple[int, ...]]:
    """Yield the shapes of the arrays in a file, by their headers."""
    if file.suffix.lower() == ".safetensors":
        with safe_open(str(file), framework="np") as tensors:
            yield from (tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    elif file.suffix.lower() == ".npz":
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    yield header_of(member)[0]
    else:
        with file.open("rb") as opened:
            yield header_of(opened)[0]


def header_of(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return what the header of a ``.npy`` file states: shape, whether columns come first, and type of the numbers.

    >>> np.save(file := io.BytesIO(), np.zeros((3, 2)))
    >>> _ = file.seek(0)
    >>> header_of(file)
    ((3, 2), False, dtype('float64'))
    """
    try:
        old = np.lib.format.read_magic(file) == (1, 0)
    except ValueError:
        raise ValueError("it is no array") from None
    length = file.read(2 if old else 4)
    size = int.from_bytes(length, "little")
    if size > MOST_HEADER:
        raise ValueError(f"its header is said to have {size} bytes")
    header = io.BytesIO(length + file.read(size))
    read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    with HEADERS:
        return read(header)


def open_arrays(path: str | Path) -> Arrays:
    """List the arrays of a file or folder, without reading them.

    Args:
        path: a ``.npz`` or ``.safetensors`` file; or a folder of such files and of ``.npy`` files, in subfolders or
            not. Where all of them lie in ``maps/``, as where wsolkit wrote them, paths begin there.

    Raises:
        DataError: there is nothing of the kind, a file is damaged, or two files share a name.
    """
    path = Path(path)
    if path.is_file() and path.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"{path} is no {' or '.join(SUFFIXES)} file. Give one of these, or a folder of .npy files named after the "
            "images."
        )
    if not path.exists():
        raise DataError(f"There is no file or folder {path}. Check the path.")
    files = files_below(path) if path.is_dir() else [(path.stem, path)]
    places: dict[str, Place] = {}
    for stem, file in files:
        for name, own_name in names_in(stem, file):
            if name in places:
                raise DataError(
                    f"{name!r} is in both {places[name].file} and {file}. Remove one of them, keep maps apart from "
                    "other arrays, and name each array after its image."
                )
            places[name] = Place(file, own_name)
    if files and not places:
        raise DataError(f"{path} holds no array. Write the maps again.")
    if not files:
        raise DataError(
            f"Folder {path} holds no .npy, .npz or .safetensors file. Save each map as <image id>.npy, or many in one "
            "file with numpy.savez_compressed(path, **{image_id: map}); or give the folder of a stage that writes maps "
            "or of wsolkit predict --maps."
        )
    return Arrays(path, places)


def files_below(folder: Path) -> list[tuple[str, Path]]:
    """Return (name, file) of the files of arrays below a folder, sorted; a name is the path without the ending."""
    found = []
    for current, _, names in os.walk(folder, followlinks=True):
        for name in names:
            file = Path(current) / name
            if file.suffix.lower() in (".npy", *SUFFIXES) and not name.startswith("."):
                found.append((file.relative_to(folder).with_suffix("").as_posix(), file))
    inner = "maps/"
    if all(name.startswith(inner) for name, _ in found):
        found = [(name.removeprefix(inner), file) for name, file in found]
    return sorted(found)


def names_in(stem: str, file: Path) -> list[tuple[str, str | None]]:
    """Return (name, name in the file) of the arrays in a file, without reading them.

    Args:
        stem: what its arrays are named after where it has none of their own or is of one image.
        file: the file.

    Raises:
        DataError: the file is damaged, or is no such file.
    """
    if file.suffix.lower() not in SUFFIXES:
        return [(stem, None)]
    try:
        if file.suffix.lower() == ".npz":
            with zipfile.ZipFile(file) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
        else:
            with safe_open(str(file), framework="np") as tensors:
                names = list(tensors.keys())
    except Exception as error:  # safetensors has its own error, zipfile three
        raise DataError(f"{file} cannot be read as a {file.suffix} file: {error}. Write it again.") from error
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{file} holds {twice!r} twice. Write it again with one array for each name.")
    return [(f"{stem}/{name}" if set(names) >= OF_ONE_IMAGE else name, name) for name in names]
