"""Models that a method's authors trained with their own code: their backbone, their head and what they kept beside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from wsolkit.config.parts import takes
from wsolkit.errors import CheckpointError
from wsolkit.registry import BACKBONES
from wsolkit.weights.checkpoint import plain_names

__all__ = ["authors_head", "fill_head", "with_authors_backbone"]


def authors_head(model: nn.Module, checkpoint: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """Return the state of a model's head from a checkpoint of the authors' code, or None where it is none.

    A checkpoint that names any tensor as the model does is no such one.

    Args:
        model: as built from its configuration.
        checkpoint: what ``read_checkpoint`` returned.
    """
    head = getattr(model, "head", None)
    state = plain_names(checkpoint["state_dict"])
    if head is None or not hasattr(head, "from_authors") or state.keys() & model.state_dict().keys():
        return None
    found: dict[str, Tensor] | None = head.from_authors({**checkpoint, "state_dict": state})
    return found


def with_authors_backbone(model: Mapping[str, Any], source: str | Path) -> dict[str, Any]:
    """Return a model's configuration whose backbone reads a checkpoint of the authors' code as its ``weights``.

    Raises:
        CheckpointError: the backbone takes no weights.
    """
    backbone = model.get("backbone")
    if not isinstance(backbone, Mapping) or not takes(BACKBONES, backbone, "weights"):
        raise CheckpointError(
            f"{source} is of the authors' own code, but the backbone of this configuration takes no weights. Choose a "
            "configuration with a backbone that does."
        )
    return {**model, "backbone": {**backbone, "weights": str(source)}}


def fill_head(head: nn.Module, state: Mapping[str, Tensor], source: str | Path) -> None:
    """Put the state of the authors' head into ours, all of it.

    Raises:
        CheckpointError: a tensor is missing, too many, or of another shape.
    """
    own = head.state_dict()
    for name in {**own, **state}:
        theirs, ours = (tuple(found[name].shape) if name in found else None for found in (state, own))
        if theirs != ours:
            raise CheckpointError(
                f"{source} was made for another head: {name} is {theirs or 'missing'} there and {ours or 'missing'} in "
                f"{type(head).__name__}. Set the head's classes, levels and bias as the authors did."
            )
    head.load_state_dict(dict(state))
