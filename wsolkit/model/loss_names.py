"""What the log and the state dict call the losses of a model."""

from __future__ import annotations

import re
from typing import Any

from torch import nn

from wsolkit.errors import ConfigError

__all__ = ["checked_name", "free_name", "snake_case"]


def snake_case(name: str) -> str:
    """Return a class name as losses are called in the log.

    >>> snake_case("BinaryCrossEntropy"), snake_case("C2AMLoss")
    ('binary_cross_entropy', 'c2am_loss')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", name).lower()


def free_name(name: str, taken: nn.ModuleDict) -> str:
    """Return a name, or the first of it with a number from 2 on that is not taken.

    >>> free_name("cross_entropy", nn.ModuleDict({"cross_entropy": nn.Identity()}))
    'cross_entropy_2'
    """
    numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)


def checked_name(name: Any, kind: str, taken: nn.ModuleDict) -> str:
    """Return the name a configuration gives a loss.

    Raises:
        ConfigError: it is no word of a-z, 0-9 and _, or it is taken.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[a-z]([a-z0-9_]*[a-z0-9])?", name):
        raise ConfigError(
            f"The name of a loss is a word of a-z, 0-9 and _, but {kind} has {name!r}. Write name='second'."
        )
    if name in taken or hasattr(taken, name):
        raise ConfigError(f"The name {name!r} of {kind} is taken. Give this loss another one, name='{name}_2'.")
    return name
