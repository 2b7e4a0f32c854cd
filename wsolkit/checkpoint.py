"""Reads checkpoints without running code from them, and fits their weights to a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wsolkit.errors import CheckpointError, nearest

__all__ = ["check_weights", "load_weights", "read_checkpoint"]

SHOWN = 4


def read_checkpoint(path: str | Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Read a checkpoint of tensors and plain values; anything that could run code is refused unread.

    Args:
        path: the file.
        map_location: where tensors go, as in ``torch.load``.

    Returns:
        A dict that holds at least ``state_dict``.

    Raises:
        CheckpointError: the file is missing, truncated, holds more than tensors and plain values, or is no checkpoint.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        others = [other.name for other in path.parent.glob("*.pth")] if path.parent.is_dir() else []
        offer = nearest(path.name, others) if others else "Check the path."
        raise CheckpointError(f"There is no checkpoint {path}. {offer}")
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # what a damaged or hostile file makes the reader raise cannot be foreseen
        wanted = re.search(r"Unsupported global: GLOBAL (\S+)", str(error))
        if wanted:
            raise CheckpointError(
                f"The checkpoint {path} holds more than tensors and plain values, so that loading it could run code: "
                f"it asks for {wanted[1]}. It was not loaded. Get the weights as a plain state dict or as safetensors "
                "from whoever made the file."
            ) from None
        raise CheckpointError(
            f"The checkpoint {path} cannot be read: it is truncated, damaged or no checkpoint of tensors and plain "
            f"values ({path.stat().st_size} bytes). Nothing in it was run. Copy it again, or use another one, such as "
            "best.pth or an epoch_*.pth beside it."
        ) from None
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("state_dict"), Mapping):
        held = sorted(map(str, checkpoint))[:SHOWN] if isinstance(checkpoint, dict) else type(checkpoint).__name__
        raise CheckpointError(
            f"The file {path} is no checkpoint of a training: it has no state_dict, but {held}. "
            "Give pretrained weights of a backbone as weights=..., and checkpoints of wsolkit train here."
        )
    return checkpoint


def check_weights(model: nn.Module, state_dict: Mapping[str, Tensor], source: str | Path) -> None:
    """Compare the names and shapes of a checkpoint's weights with the model's.

    Raises:
        CheckpointError: names are missing or too many, or shapes differ; the message lists the first few.
    """
    expected = model.state_dict()
    given = {name.removeprefix("module."): value for name, value in state_dict.items()}
    complaints = []
    missing = [name for name in expected if name not in given]
    surplus = [name for name in given if name not in expected]
    if missing:
        complaints.append(f"it lacks {listed(missing)}")
    if surplus:
        complaints.append(f"the model has no {listed(surplus)}")
    differing = [
        f"{name} is {tuple(given[name].shape)} there and {tuple(expected[name].shape)} in the model"
        for name in expected
        if name in given and given[name].shape != expected[name].shape
    ]
    if differing:
        more = f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
        complaints.append("; ".join(differing[:SHOWN]) + more)
    if complaints:
        raise CheckpointError(
            f"The checkpoint {source} was made for another model: {'; '.join(complaints)}. "
            "Use the configuration it was trained with (config.py beside it), or another checkpoint."
        )


def listed(names: list[str]) -> str:
    """Return the first few names and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def load_weights(model: nn.Module, checkpoint: Mapping[str, Any], source: str | Path) -> None:
    """Put a checkpoint's weights into a model, all of them.

    Args:
        model: the model, as built from the checkpoint's configuration.
        checkpoint: what ``read_checkpoint`` returned.
        source: where it came from, for messages.

    Raises:
        CheckpointError: the checkpoint was made for another model.
    """
    state = {name.removeprefix("module."): value for name, value in checkpoint["state_dict"].items()}
    check_weights(model, state, source)
    model.load_state_dict(state)
