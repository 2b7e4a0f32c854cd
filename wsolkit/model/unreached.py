"""Which trainable parts of a model the losses do not reach: they would keep the numbers they began with."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from torch import Tensor, nn

__all__ = ["reached", "unreached_parts", "warn_of_unreached"]

SHOWN = 4


HIDING = "CheckpointFunctionBackward"
"""Modules whose activations are made again in the backward pass (reentrant checkpointing) are not in the graph."""


def reached(loss: Tensor) -> set[int] | None:
    """Return the ids of the parameters that a loss depends on, from the graph of its gradient; nothing is computed.

    None where a part of the graph is hidden.

    >>> import torch
    >>> used, unused = nn.Linear(2, 1), nn.Linear(2, 1)
    >>> found = reached(used(torch.ones(1, 2)).sum())
    >>> [id(each) in found for each in (used.weight, used.bias, unused.weight)]
    [True, True, False]
    """
    found, met = set(), set()
    waiting = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in met:
            continue
        met.add(node)
        if node.name() == HIDING:
            return None
        if hasattr(node, "variable"):
            found.add(id(node.variable))
        waiting += [following for following, _ in node.next_functions]
    return found


def unreached_parts(model: nn.Module, loss: Tensor) -> list[str]:
    """Return the names of the largest parts of a model of which no trainable parameter has a part in a loss.

    >>> import torch
    >>> model = nn.ModuleDict({"late": nn.Linear(2, 1), "early": nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1))})
    >>> unreached_parts(model, model["late"](torch.ones(1, 2)).sum())
    ['early']
    """
    known = reached(loss)
    if known is None:
        return []

    def search(module: nn.Module, name: str) -> Iterator[str]:
        trained = [each for each in module.parameters() if each.requires_grad]
        lost = [each for each in trained if id(each) not in known]
        if name and lost and len(lost) == len(trained):
            yield name
        elif lost:
            for inner, child in module.named_children():
                yield from search(child, f"{name}.{inner}".lstrip("."))
            own = dict(module.named_parameters(recurse=False))
            yield from (f"{name}.{key}".lstrip(".") for key, each in own.items() if any(each is one for one in lost))

    return list(search(model, ""))


def warn_of_unreached(model: nn.Module, loss: Tensor) -> None:
    """Warn of trainable parts that a loss does not reach."""
    if parts := unreached_parts(model, loss):
        more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
        warnings.warn(
            f"No loss reaches {', '.join(parts[:SHOWN])}{more}: they keep the numbers they began with, and prediction "
            "uses them so where it uses them. Add a loss that reads what they make, or leave them out of the model.",
            stacklevel=2,
        )
