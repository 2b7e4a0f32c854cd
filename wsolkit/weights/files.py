"""Names of files of weights: which there are, and what to say of one that is missing. No torch is needed here."""

from __future__ import annotations

from pathlib import Path

from wsolkit.errors import CheckpointError, nearest

__all__ = ["SUFFIXES", "existing_weights"]

SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")


def existing_weights(path: str | Path) -> Path:
    """Return the path of a file of weights that is there.

    Raises:
        CheckpointError: it is not, and the message offers the nearest names beside it; or it is an address.
    """
    if "://" in str(path):
        raise CheckpointError(
            f"Weights are read from local files, but got {path}. Download the file and give its path."
        )
    path = Path(path).expanduser()
    if not path.is_file():
        others = [other.name for other in path.parent.glob("*") if other.suffix in SUFFIXES]
        offer = nearest(path.name, others) if others else f"Give the path of a {', '.join(SUFFIXES)} file."
        raise CheckpointError(f"There is no file of weights {path}. {offer}")
    return path
