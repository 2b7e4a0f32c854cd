"""Checkpoints as safetensors files: the tensors as such, and as text beside them what the checkpoint says of itself.

There is no pickle in such a file, so other programs can read it without trust. The text is the entry ``wsolkit`` of the
file's metadata, JSON with ``format`` and ``meta``; files of weights that others made have none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from wsolkit.errors import CheckpointError
from wsolkit.files import whole_file

__all__ = ["SUFFIX", "load_safetensors", "save_safetensors"]

SUFFIX = ".safetensors"
ENTRY = "wsolkit"
FORMAT = 1
LEFT_OUT = ("cfg", "config")
"""What mmengine writes of the configuration, which is code."""


def load_safetensors(path: Path) -> dict[str, Any]:
    """Return what a safetensors file holds: the tensors by name, or a checkpoint where ``save_safetensors`` wrote it.

    Raises:
        CheckpointError: what it says of itself is damaged, or of a newer version.
        SafetensorError: the file is damaged.
    """
    with safe_open(path, "pt") as file:
        text = (file.metadata() or {}).get(ENTRY)
    tensors: dict[str, Any] = load_file(path)
    return tensors if text is None else {"state_dict": tensors, "meta": meta_of(text, path)}


def meta_of(text: str, path: Path) -> dict[str, Any]:
    """Return what a checkpoint says of itself.

    Raises:
        CheckpointError: the text is none of ours, or of a newer version.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    number = document.get("format") if isinstance(document, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise CheckpointError(
            f"{path} has the format {number}, and this version reads {FORMAT}. Install a newer wsolkit, or use the "
            ".pth file beside it."
        )
    meta = document.get("meta") if isinstance(document, dict) else None
    if number != FORMAT or not isinstance(meta, dict):
        raise CheckpointError(
            f"{path} cannot be used: the text {ENTRY!r} in its metadata, which says what the model is, is damaged. "
            "Download or copy the file again, or use the .pth file beside it."
        )
    return meta


def save_safetensors(path: str | Path, state: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write a checkpoint as a safetensors file, whole or not at all.

    Args:
        path: the file.
        state: the weights; those that share memory are written one by one.
        meta: what the checkpoint says of itself. Entries that are no plain values are left out.
    """
    seen: set[int] = set()
    tensors = {name: of_its_own(value, seen) for name, value in state.items()}
    plain = {name: value for name, value in meta.items() if name not in LEFT_OUT and is_plain(value)}
    text = json.dumps({"format": FORMAT, "meta": plain})
    with whole_file(path) as temporary:
        temporary.write_bytes(save(tensors, {"format": "pt", ENTRY: text}))


def of_its_own(tensor: Tensor, seen: set[int]) -> Tensor:
    """Return a tensor, copied where another one has its memory or it is only a part of that."""
    tensor = tensor.detach().cpu()
    storage = tensor.untyped_storage()
    whole = tensor.is_contiguous() and storage.nbytes() == tensor.numel() * tensor.element_size()
    shared = storage.data_ptr() in seen
    seen.add(storage.data_ptr())
    return tensor if whole and not shared else tensor.contiguous().clone()


def is_plain(value: Any) -> bool:
    """Whether a value can be written as JSON.

    >>> is_plain({"classes": ("owl", "wren")}), is_plain(Path("a"))
    (True, False)
    """
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
