"""Training loops that can be resumed at any iteration and see the same data as if they had never stopped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch.utils.data import BatchSampler, DataLoader, Sampler

from wsolkit.datasets.wrapped import innermost
from wsolkit.errors import ConfigError

__all__ = ["EpochLoop", "IterationLoop", "set_epoch"]


class EpochLoop(EpochBasedTrainLoop):
    """mmengine's epoch-based loop; datasets learn the epoch, and a resumed epoch goes on where it stopped.

    Takes mmengine's arguments: ``max_epochs``, ``val_begin``, ``val_interval``, ``dynamic_intervals``.
    """

    def run_epoch(self) -> None:
        """Run one epoch, or the rest of one that a resumed training had begun."""
        done = self._iter - self._epoch * len(self.dataloader)
        self.runner.call_hook("before_train_epoch")
        set_epoch(self.dataloader, self._epoch)
        self.runner.model.train()
        for index, batch in enumerate(batches_from(self.dataloader, done), start=done):
            self.run_iter(index, batch)
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1


class IterationLoop(IterBasedTrainLoop):
    """mmengine's iteration-based loop; every pass over the data is an epoch to datasets and samplers.

    Takes mmengine's arguments: ``max_iters``, ``val_begin``, ``val_interval``, ``dynamic_intervals``.

    Raises:
        ConfigError: the sampler is endless, so that passes cannot be told apart.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.dataloader.sampler, InfiniteSampler):
            raise ConfigError(
                "Iteration-based training restarts the sampler at every pass over the data, but got an "
                "InfiniteSampler, which never ends. Write "
                "train_dataloader.sampler=dict(type='DefaultSampler', shuffle=True)."
            )

    def run(self) -> Any:
        """Train, going on after the iterations that are done."""
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        batches = endless(self.dataloader, self._iter)
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(batches))
            self._decide_current_val_interval()
            due = self._iter % self.val_interval == 0 or self._iter == self._max_iters
            if self.runner.val_loop is not None and self._iter >= self.val_begin and due:
                self.runner.val_loop.run()
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model


class From(Sampler):
    """The indices of another sampler after the first so many; it is as long as the whole, for that is the epoch."""

    def __init__(self, sampler: Sampler, start: int) -> None:
        self.sampler = sampler
        self.start = start

    def __iter__(self) -> Iterator[int]:
        return islice(iter(self.sampler), self.start, None)

    def __len__(self) -> int:
        return len(self.sampler)  # type: ignore[arg-type]


def batches_from(dataloader: DataLoader, start: int) -> Iterator[Any]:
    """Yield the batches after the first ``start`` without reading those."""
    if start <= 0:
        yield from dataloader
        return
    batch_sampler: Any = dataloader.batch_sampler
    if hasattr(batch_sampler, "first_batch"):  # one that draws whole batches
        batch_sampler.first_batch = start
        try:
            yield from dataloader
        finally:
            batch_sampler.first_batch = 0
        return
    if type(batch_sampler) is not BatchSampler:  # a stranger's, or none: read and drop
        yield from islice(dataloader, start, None)
        return
    whole: Any = batch_sampler.sampler
    batch_sampler.sampler = From(whole, start * batch_sampler.batch_size)
    try:
        yield from dataloader
    finally:
        batch_sampler.sampler = whole


def endless(dataloader: DataLoader, done: int) -> Iterator[Any]:
    """Yield batches for ever, pass after pass, as if ``done`` of them had been taken already."""
    epoch, skip = divmod(done, len(dataloader))
    while True:
        samplers: tuple[Any, ...] = (dataloader.sampler, getattr(dataloader.batch_sampler, "sampler", None))
        for sampler in samplers:
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(epoch)
        set_epoch(dataloader, epoch)
        yield from batches_from(dataloader, skip)
        epoch, skip = epoch + 1, 0


def set_epoch(dataloader: DataLoader, epoch: int) -> None:
    """Tell the datasets behind a data loader which epoch to draw their randomness from."""
    for dataset in innermost(dataloader.dataset):
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(epoch)
