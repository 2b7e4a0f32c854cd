"""One batch on several processes: embeddings gathered, and a norm over all of them, both with gradients."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_gather, all_reduce
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _NormBase

__all__ = ["GlobalBatchNorm", "gather_rows", "is_distributed", "sum_over_processes"]


def is_distributed() -> bool:
    """Whether this process is one of several."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows (B, C) of all processes, (P * B, C) in the order of the ranks, with gradients to every process.

    Every process then computes the same loss of the whole batch. Its gradient reaches each process P times (once from
    every copy of the loss), and averaging over P processes, as DistributedDataParallel does, gives the gradient that
    one process with the whole batch would have. With one process the rows are returned as they are.

    >>> gather_rows(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    return torch.cat(list(all_gather(rows.contiguous()))) if is_distributed() else rows


def sum_over_processes(value: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes, with gradients to every process."""
    return all_reduce(value.contiguous()) if is_distributed() else value


class GlobalBatchNorm(_NormBase):
    """Batch norm over the batches of all processes, also on CPUs, where torch's ``SyncBatchNorm`` refuses to work.

    Names and meaning of arguments, parameters and buffers are those of ``nn.BatchNorm2d``; with one process it gives
    the same numbers. It is none, so that ``sync_bn`` leaves it alone.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise maps (B, C, h, w), in float32."""
        with torch.autocast(maps.device.type, enabled=False):
            maps = maps.float()
            if self.training and is_distributed():
                return self._over_all(maps)
            if self.training and self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
            state = (self.running_mean, self.running_var, self.weight, self.bias)
            mean, variance, scale, shift = (None if each is None else each.float() for each in state)  # half, maybe
            return F.batch_norm(maps, mean, variance, scale, shift, self.training, self.momentum or 0.1, self.eps)

    def _over_all(self, maps: Tensor) -> Tensor:
        cells = maps.new_full((1,), maps.numel() / maps.shape[1])
        sums = sum_over_processes(torch.cat([maps.sum((0, 2, 3)), maps.square().sum((0, 2, 3)), cells]))
        count = sums[-1].detach()
        mean, square = (sums[:-1] / count).chunk(2)
        variance = (square - mean.square()).clamp_min(0)
        with torch.no_grad():
            if self.num_batches_tracked is not None and self.running_mean is not None and self.running_var is not None:
                self.num_batches_tracked += 1
                share = self.momentum or 0.1
                self.running_mean.lerp_(mean, share)
                self.running_var.lerp_(variance * count / (count - 1), share)
        scale = torch.rsqrt(variance + self.eps) * (1 if self.weight is None else self.weight)
        shift = (0 if self.bias is None else self.bias) - mean * scale
        return maps * scale[:, None, None] + shift[:, None, None]
