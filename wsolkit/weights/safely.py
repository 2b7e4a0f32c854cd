"""Reads what a file of weights holds without running code from it, and without believing the sizes it names."""

from __future__ import annotations

import pickle
import re
import textwrap
import warnings
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsolkit.errors import CheckpointError
from wsolkit.weights.files import existing_weights
from wsolkit.weights.safetensors_files import SUFFIX, load_safetensors

__all__ = ["entries", "first_line", "read_safely"]

MORE = 2**30
"""How many bytes the content of a file may have beyond the file's own: views that repeat a buffer, packed zeros."""


def read_safely(path: str | Path, map_location: Any = "cpu") -> Any:
    """Return what a file holds, if that is tensors and plain values.

    Raises:
        CheckpointError: the file is missing or damaged, holds anything that could run code, or names many more numbers
            than it holds.
    """
    path = existing_weights(path)
    check_records(path)
    try:
        payload = load_safetensors(path) if path.suffix == SUFFIX else load_pickle(path, map_location)
    except CheckpointError:
        raise
    except Exception as error:  # what a damaged or hostile file makes the reader raise cannot be foreseen
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        if wanted:
            raise CheckpointError(
                f"{path} was refused: it holds more than tensors and plain values, so that loading it could run code: "
                f"it asks for {wanted[1]}. Get the weights as a plain state dict, best as .safetensors, from whoever "
                "made the file."
            ) from None
        reason = first_line(error)
        if isinstance(error, pickle.UnpicklingError):  # torch advises to turn the check off
            reason = "it was not written by torch.save"
        elif "TorchScript" in reason:
            reason = "it is a TorchScript program, which is code; save its state_dict() with torch.save"
        raise CheckpointError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as weights: {reason}. It is truncated, damaged or no "
            "file of weights, and nothing in it was run. Download or copy it again and compare its size, or use "
            "another one, such as best.pth or an epoch_*.pth beside it."
        ) from None
    check_tensors(payload, path)
    return payload


def load_pickle(path: Path, map_location: Any) -> Any:
    """Read a file of ``torch.save``, of which only tensors and plain values are taken, whatever the environment says.

    ``weights_only`` is given here, so the variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD does not turn it off.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what is refused below
        return torch.load(path, map_location=map_location, weights_only=True)


def check_records(path: Path) -> None:
    """Compare what a zipped file unpacks to with its size, before anything is unpacked.

    Raises:
        CheckpointError: it would unpack to far more, as no file of weights does.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(record.file_size for record in archive.infolist())
    except Exception:  # no zip file, or a damaged one: the reader says so
        return
    if unpacked > path.stat().st_size + MORE:
        raise CheckpointError(
            f"{path} was refused: its {path.stat().st_size} bytes would unpack to {unpacked}. Files of weights hardly "
            "shrink, so this one was made to fill the memory. Get the weights from another source."
        )


def check_tensors(payload: Any, path: Path) -> None:
    """Look at every tensor that a file holds.

    Raises:
        CheckpointError: one is no dense array, or they have far more numbers than are stored.
    """
    total, storages = 0, set()
    for tensor in tensors_in(payload):
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested or tensor.device.type == "meta":
            kind = "quantized" if tensor.is_quantized else f"{tensor.device.type}, {tensor.layout}"
            raise CheckpointError(
                f"{path} was refused: it holds a tensor of the shape {tuple(tensor.shape)} that is no dense array "
                f"({kind}). Save the weights as plain arrays, such as state[name].to_dense()."
            )
        storage = tensor.untyped_storage()
        total += max(0, tensor.numel() * tensor.element_size() - storage.nbytes())
        total += 0 if storage.data_ptr() in storages else storage.nbytes()
        storages.add(storage.data_ptr())
        if total > path.stat().st_size + MORE:
            raise CheckpointError(
                f"{path} was refused: it names a tensor of {tensor.numel()} numbers, but has {path.stat().st_size} "
                "bytes. Weights are stored one by one, so this file was made to fill the memory. Get the weights from "
                "another source."
            )


def tensors_in(payload: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested dicts, lists, tuples and sets, each container looked into once.

    >>> [int(tensor) for tensor in tensors_in({"a": torch.tensor(1), "b": [torch.tensor(2)]})]
    [1, 2]
    """
    waiting, seen = deque([payload]), set()
    while waiting:
        value = waiting.popleft()
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (dict, list, tuple, set)) and id(value) not in seen:
            seen.add(id(value))
            waiting += value.values() if isinstance(value, dict) else value


def entries(payload: Any) -> str:
    """Say what a file holds: the first few entries, or the type.

    >>> entries({"epoch": 3}), entries([1, 2])
    ("['epoch']", 'a list')
    """
    if not isinstance(payload, Mapping):
        return f"a {type(payload).__name__}"
    names = [textwrap.shorten(name, 60) for name in payload if isinstance(name, str)]
    return str(sorted(names)[:8]) if names or not payload else "a dict without names"


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its type where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return textwrap.shorten(lines[0], 200, placeholder="...") if lines else type(error).__name__
