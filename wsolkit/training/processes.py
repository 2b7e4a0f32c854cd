"""Several processes that train one model: their process group, the model's wrapper, and equal buffers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner
from timm.layers import convert_sync_batchnorm
from torch import Tensor, nn

from wsolkit.errors import ConfigError, WsolkitError, one_of
from wsolkit.registry import SCOPE

__all__ = [
    "LAUNCHERS",
    "SYNCED",
    "OrderedDataParallel",
    "SameBuffers",
    "SyncNormDataParallel",
    "process_group",
    "wrapper_config",
]

LAUNCHERS = ("none", "pytorch")
SYNC_BN = (None, "torch")
ORDERED = f"{SCOPE}.OrderedDataParallel"  # mmengine looks wrappers up in its own registry, where no scope is ours
SYNCED = f"{SCOPE}.SyncNormDataParallel"
PEER_IS_GONE = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Timed out waiting", "NCCL")
"""What torch says, among other things, when it waits for a process that is no longer there."""


@contextmanager
def process_group(launcher: str) -> Iterator[None]:
    """Join the processes that torchrun started: nccl between GPUs, gloo between CPUs.

    mmengine would ask for a GPU, so the group is there before its runner is. It is taken down at the end if it was
    started here.

    Raises:
        ConfigError: the launcher is unknown, or the processes were not started by torchrun.
        WsolkitError: another process ended.
    """
    one_of("launcher", launcher, LAUNCHERS)
    if launcher == "none" or dist.is_initialized():
        yield
        return
    needed = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    lacking = [name for name in needed if name not in os.environ]
    if lacking:
        raise ConfigError(
            f"launcher='pytorch' needs processes started by torchrun, but {', '.join(lacking)} is not in the "
            "environment. Run: torchrun --nproc-per-node N -m wsolkit train CONFIG --launcher pytorch"
        )
    if torch.cuda.is_available():
        mine, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if mine >= there:
            raise ConfigError(
                f"Each process takes a GPU of its own, but there are {there} for {os.environ['WORLD_SIZE']} processes. "
                f"Start at most {there}, or set CUDA_VISIBLE_DEVICES= to train on the CPU."
            )
        torch.cuda.set_device(mine)
        dist.init_process_group("nccl")
    else:
        dist.init_process_group("gloo")
    try:
        yield
    except RuntimeError as error:
        if not any(sign in str(error) for sign in PEER_IS_GONE):
            raise
        raise WsolkitError(
            f"Process {dist.get_rank()} lost the connection to another process of the training, which ended or hangs; "
            "its own output says why. Start all of them again, with --resume to go on from the last checkpoint. "
            f"({str(error).strip().splitlines()[0]})"
        ) from error
    finally:
        dist.destroy_process_group()


class OrderedDataParallel(MMDistributedDataParallel):
    """mmengine's data parallel wrapper that adds the gradients of the processes in their order, for CPUs.

    gloo's own sum begins at another process for another place in the gradients' buckets, and torch lays the buckets out
    anew after the first step of a run: a training that was resumed would round otherwise than one that was not.

    Args:
        module: the model.
        options: anything mmengine's wrapper takes.
    """

    def __init__(self, module: nn.Module, **options: Any) -> None:
        super().__init__(module=module, **options)
        self.register_comm_hook(None, lambda _, bucket: mean_in_order(bucket))


def mean_in_order(bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
    """Average a bucket of gradients over all processes, from the first to the last."""
    mine = bucket.buffer().div_(dist.get_world_size())
    parts = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    gathered = dist.all_gather(parts, mine, async_op=True)

    def total(_: Any) -> Tensor:
        mine.zero_()
        for part in parts:
            mine.add_(part)
        return mine

    return gathered.get_future().then(total)


class SyncNormDataParallel(MMDistributedDataParallel):
    """mmengine's data parallel wrapper of a model whose batch norms use the batches of all processes.

    timm's norms, which hold the activation behind them, become timm's own synchronised ones; torch's converter would
    lose the activation.

    Args:
        module: the model.
        options: anything mmengine's wrapper takes.
    """

    def __init__(self, module: nn.Module, **options: Any) -> None:
        super().__init__(module=convert_sync_batchnorm(module), **options)


def wrapper_config(find_unused_parameters: bool, sync_bn: str | None = None) -> dict[str, Any]:
    """Return the model wrapper that fits the devices: without device ids on CPUs.

    Args:
        find_unused_parameters: whether some parameters may get no gradient in a step.
        sync_bn: ``torch`` for batch norms over the batches of all processes, or None.

    Raises:
        ConfigError: ``sync_bn`` is something else, or asked for without a GPU.
    """
    if sync_bn not in SYNC_BN:
        raise ConfigError(f"sync_bn should be 'torch' or None, but got {sync_bn!r}.")
    if sync_bn and not torch.cuda.is_available():
        raise ConfigError(
            "sync_bn='torch' needs GPUs: torch's synchronised batch norm does not work on CPUs. Set sync_bn=None (on "
            "the command line --cfg-options sync_bn=None); each process then uses the statistics of its own batch."
        )
    config: dict[str, Any] = {
        "type": SYNCED if sync_bn else "MMDistributedDataParallel",
        "broadcast_buffers": True,
        "find_unused_parameters": find_unused_parameters,
    }
    if not torch.cuda.is_available():
        config |= {"type": ORDERED, "device_ids": None}
    return config


class SameBuffers(Hook):
    """Gives every process the first one's buffers (running statistics) after each epoch and before validation.

    What is validated is then what the checkpoint holds. Nothing happens with one process.
    """

    priority = "NORMAL"

    def after_train_epoch(self, runner: Runner) -> None:
        """Send the buffers before the checkpoint is written."""
        send_buffers(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        """Send the buffers before the validation."""
        send_buffers(runner)


def send_buffers(runner: Runner) -> None:
    """Overwrite every process's buffers with those of the first."""
    if get_world_size() == 1:
        return
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    for buffer in model.buffers():
        dist.broadcast(buffer, src=0)
