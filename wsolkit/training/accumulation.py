"""Gradients of an update that is not finished: with ``accumulative_counts`` an update takes several iterations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch.distributed as dist
from mmengine.dist import get_rank, get_world_size
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor

from wsolkit.training.runner import bare

__all__ = ["give_back", "unfinished"]


def unfinished(runner: Runner) -> list[dict[str, Tensor]] | None:
    """Return the gradients that wait for the rest of their update, by name, for each process; None between updates.

    Every process has to ask: until the update, each has gradients of its own.
    """
    wrapper = runner.optim_wrapper
    wrappers = wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]
    if all(each.should_update() for each in wrappers):
        return None
    model = bare(runner.model)
    mine = {name: part.grad.detach().cpu() for name, part in model.named_parameters() if part.grad is not None}
    if get_world_size() == 1:
        return [mine]
    found: list[dict[str, Tensor]] = [{} for _ in range(get_world_size())]
    dist.all_gather_object(found, mine)
    return found


def give_back(runner: Runner, gradients: Sequence[Mapping[str, Tensor]] | None) -> None:
    """Put the gradients of an unfinished update back where they were."""
    if gradients is None:
        return
    mine = gradients[get_rank()]
    for name, parameter in bare(runner.model).named_parameters():
        if name in mine:
            parameter.grad = mine[name].to(parameter, copy=True)
