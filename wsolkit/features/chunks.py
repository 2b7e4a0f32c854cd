"""How cached features lie on disk: chunks of images, each an array of half precision with a list of what is in it.

    features.json   what the features were computed with
    00000.npy       (n, 1 or 2, values): a row for each image, with its mirror image's behind it where asked for
    00000.json      the images of the chunk: path, bytes, time, own size, row

A row holds all levels one after the other, each (h, w, C). A chunk counts once its list is there, which comes last.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsolkit.errors import DataError
from wsolkit.files import whole_file, write_json

__all__ = ["HEADER", "Entry", "pack", "read_chunks", "read_header", "stamp_of", "unpack", "write_chunk"]

HEADER = "features.json"


@dataclass(frozen=True)
class Entry:
    """An image in a chunk.

    Attributes:
        path: its file.
        stamp: the file's size in bytes and its time, by which a changed file is known.
        size: (width, height) of the image itself.
        row: its row of the array.
        chunk: number of the chunk.
    """

    path: str
    stamp: tuple[int, int]
    size: tuple[int, int]
    row: int
    chunk: int = -1


def stamp_of(path: str) -> tuple[int, int]:
    """Return size and time of a file; (-1, 0) where it is missing."""
    try:
        found = Path(path).stat()
        return (found.st_size, found.st_mtime_ns)
    except OSError:
        return (-1, 0)


def pack(levels: Mapping[str, Tensor]) -> np.ndarray:
    """Return levels, each (B, C, h, w), as rows (B, values) of half precision."""
    rows = [level.permute(0, 2, 3, 1).half().flatten(1).cpu().numpy() for level in levels.values()]
    found: np.ndarray = np.concatenate(rows, axis=1)
    return found


def unpack(rows: np.ndarray, shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Return rows (B, values) as levels of float32 with the channels innermost; ``shapes`` are (C, h, w) by level.

    >>> levels = {"a": torch.rand(2, 3, 4, 5), "b": torch.rand(2, 1, 2, 2)}
    >>> found = unpack(pack(levels), {name: level.shape[1:] for name, level in levels.items()})
    >>> [bool(torch.allclose(found[name], levels[name], atol=1e-3)) for name in levels]
    [True, True]
    """
    levels: dict[str, Tensor] = {}
    begin = 0
    for name, (channels, height, width) in shapes.items():
        count = channels * height * width
        part = torch.from_numpy(rows[:, begin : begin + count]).float()
        levels[name] = part.view(-1, height, width, channels).permute(0, 3, 1, 2)
        begin += count
    return levels


def values_in(shapes: Mapping[str, Sequence[int]]) -> int:
    """Return how many values a row has."""
    return sum(math.prod(shape) for shape in shapes.values())


def read_header(folder: Path) -> dict[str, Any]:
    """Return what a folder's features were computed with.

    Raises:
        DataError: there are none.
    """
    try:
        found = json.loads((folder / HEADER).read_text(encoding="utf-8"))
        shapes = {str(name): [int(side) for side in shape] for name, shape in found["shapes"].items()}
        if not shapes or any(len(shape) != 3 or min(shape) < 1 for shape in shapes.values()):
            raise ValueError("no shapes")
        height, width = (int(side) for side in found["size"])
        return {
            "fingerprint": str(found["fingerprint"]),
            "shapes": shapes,
            "size": [height, width],
            "mirror": bool(found["mirror"]),
            "place": None if found.get("place") is None else str(found["place"]),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{folder} holds no features of wsolkit's ({HEADER} is missing or damaged). Compute them first."
        ) from error


def write_chunk(folder: Path, number: int, rows: np.ndarray, entries: Sequence[Entry]) -> None:
    """Write a chunk, its list last."""
    with whole_file(folder / f"{number:05d}.npy") as path, path.open("wb") as file:
        np.save(file, rows, allow_pickle=False)
    write_json(folder / f"{number:05d}.json", [list(astuple(entry))[:4] for entry in entries])


def read_chunks(folder: Path, header: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the images of all whole chunks of a folder; damaged ones do not count."""
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            number = int(path.stem)
            found = [read_entry(number, *each) for each in json.loads(path.read_text(encoding="utf-8"))]
            rows = open_rows(folder, number)
            there = (1 + header["mirror"], values_in(header["shapes"]))
            last = max((each.row for each in found), default=-1)
            if rows.dtype != np.float16 or rows.shape[1:] != there or last >= len(rows):
                continue
        except (OSError, ValueError, TypeError, IndexError, EOFError, RecursionError):
            continue
        yield from found


def read_entry(chunk: int, path: Any, stamp: Any, size: Any, row: Any) -> Entry:
    """Return an image of a chunk's list."""
    ends, sides = (int(stamp[0]), int(stamp[1])), (int(size[0]), int(size[1]))
    return Entry(str(path), ends, sides, int(row), chunk)


def open_rows(folder: Path, number: int) -> np.ndarray:
    """Return the array of a chunk, read from disk as it is asked for."""
    found: np.ndarray = np.load(folder / f"{number:05d}.npy", mmap_mode="r", allow_pickle=False)
    return found
