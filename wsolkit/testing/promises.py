"""How contracts are told: parts are built as a model builds them, and what breaks a promise is named with numbers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from wsolkit.errors import WsolkitError
from wsolkit.weights.checkpoint import load_weights

__all__ = ["NAMES", "built", "finite", "kept_whole", "promised", "takes"]

NAMES = ("barn owl", "house wren", "snowy owl")
"""The classes of every contract; two have their last word in common."""

T = TypeVar("T")


def takes(part: type, argument: str) -> bool:
    """Whether a part's ``__init__`` takes an argument."""
    return argument in inspect.signature(part).parameters


def built(part: type[T], settings: Mapping[str, Any], **known: Any) -> T:
    """Build a part with settings of one's own, and with what a model tells it where it asks for that.

    >>> built(dict, {"a": 1}, channels=6)
    {'a': 1}
    """
    try:
        told = {name: value for name, value in known.items() if takes(part, name)}
    except ValueError:  # a class of C that does not say
        told = {}
    return part(**{**told, **settings})


def promised(part: object, kept: object, promise: str, found: object = "") -> None:
    """Hold a part to a promise.

    Args:
        part: the class, or an instance of it.
        kept: whether the promise was kept.
        promise: what it promises, as a sentence begins: ``keeps the shape``.
        found: the numbers that break it.

    Raises:
        AssertionError: it does not keep it.

    >>> promised(dict, False, "keeps the shape (2, 3)", (2, 4))
    Traceback (most recent call last):
    AssertionError: dict keeps the shape (2, 3): it does not, found (2, 4).
    """
    if not kept:
        name = part.__name__ if isinstance(part, type) else type(part).__name__
        raise AssertionError(f"{name} {promise}: it does not{f', found {found}' if str(found) else ''}.")


def finite(part: object, what: str, numbers: Tensor) -> None:
    """Hold a part to finite numbers.

    Raises:
        AssertionError: some are NaN or infinite.
    """
    broken = int((~numbers.detach().isfinite()).sum())
    promised(part, not broken, f"gives finite {what}", f"{broken} of {numbers.numel()} that are NaN or infinite")


def kept_whole(part: object, used: nn.Module, fresh: nn.Module) -> None:
    """Hold a part to its state: what a checkpoint keeps of one that was used goes into one that was not.

    Raises:
        AssertionError: it does not, or something of it is lost.
    """
    promise, state = "goes on from a checkpoint", used.state_dict()
    try:
        load_weights(fresh, {"state_dict": state}, "of its own")
    except WsolkitError as error:
        promised(part, False, promise, error)
    there = fresh.state_dict()
    lost = [name for name, numbers in state.items() if not torch.equal(numbers, there[name])]
    promised(part, not lost, promise, f"other numbers of {', '.join(lost)}")
