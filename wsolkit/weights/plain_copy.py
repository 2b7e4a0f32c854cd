"""The copy of a checkpoint that anybody can read without trust: weights and what prediction needs, no pickle."""

from __future__ import annotations

from pathlib import Path

from wsolkit.weights.checkpoint import read_checkpoint
from wsolkit.weights.safetensors_files import SUFFIX, save_safetensors

__all__ = ["plain_copy"]


def plain_copy(checkpoint: str | Path, out: str | Path | None = None) -> Path:
    """Write a checkpoint's weights and what it says of itself as a safetensors file, and return its path.

    What only a training needs to go on, such as the optimizer, is left out.

    Args:
        checkpoint: file that training wrote.
        out: where to; by default beside it, ``best.safetensors`` for ``best.pth``.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    source = Path(checkpoint)
    path = source.with_suffix(SUFFIX) if out is None else Path(out)
    stored = read_checkpoint(source)
    save_safetensors(path, stored["state_dict"], stored.get("meta") or {})
    return path
