"""Reads what a file of weights holds without running code from it."""

from __future__ import annotations

import pickle
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from wsolkit.errors import CheckpointError
from wsolkit.weights.files import existing_weights

__all__ = ["entries", "first_line", "read_safely"]


def read_safely(path: str | Path, map_location: Any = "cpu") -> Any:
    """Return what a file holds, if that is tensors and plain values.

    Raises:
        CheckpointError: the file is missing or damaged, or holds anything that could run code.
    """
    path = existing_weights(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location=map_location, weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # what a damaged or hostile file makes the reader raise cannot be foreseen
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        if wanted:
            raise CheckpointError(
                f"{path} was refused: it holds more than tensors and plain values, so that loading it could run code: "
                f"it asks for {wanted[1]}. Get the weights as a plain state dict, best as .safetensors, from whoever "
                "made the file."
            ) from None
        foreign = isinstance(error, pickle.UnpicklingError)  # torch advises to turn the check off
        reason = "it was not written by torch.save" if foreign else first_line(error)
        raise CheckpointError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as weights: {reason}. It is truncated, damaged or no "
            "file of weights, and nothing in it was run. Download or copy it again and compare its size, or use "
            "another one, such as best.pth or an epoch_*.pth beside it."
        ) from None


def entries(payload: Any) -> str:
    """Say what a file holds: the first few entries, or the type.

    >>> entries({"epoch": 3}), entries([1, 2])
    ("['epoch']", 'a list')
    """
    return str(sorted(map(str, payload))[:8]) if isinstance(payload, Mapping) else f"a {type(payload).__name__}"


def first_line(error: Exception) -> str:
    """Return the first line of what an error says, or its type where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return textwrap.shorten(lines[0], 200, placeholder="...") if lines else type(error).__name__
