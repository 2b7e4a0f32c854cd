"""Where a modifier sits, told in the complaints that are about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn

from wsolkit.errors import noting
from wsolkit.model.places import IMAGE, MAPS

__all__ = ["naming_places"]


@contextmanager
def naming_places(modifiers: Iterable[tuple[str, Any]], backbone: nn.Module, head: nn.Module) -> Iterator[None]:
    """Name what a modifier sits in where an error is about the modifier, which does not know that itself.

    Args:
        modifiers: the modifiers by their names in the log, which begin with the kind of their place.
        backbone: the model's.
        head: the model's.
    """
    with ExitStack() as notes:
        for name, modifier in modifiers:
            kind, group = type(modifier).__name__, name.split(".")[0]
            place = {MAPS: "on the maps of", IMAGE: "on the images of"}.get(group, "inside")
            holder = type(head if group == MAPS else backbone).__name__
            notes.enter_context(noting(f"Here {kind} sits {place} {holder}.", kind, holder, only=kind))
        yield
