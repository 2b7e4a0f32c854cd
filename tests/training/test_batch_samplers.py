"""Batch samplers of others under the loops: they learn the epoch, and skip the batches that are done."""

import pytest
from mmengine.dataset import DefaultSampler
from torch.utils.data import DataLoader, Sampler

from wsolkit.training.loops import batches_from, endless


class Epoch(Sampler):
    """Remembers the epoch."""

    def __init__(self):
        self.epoch = 0

    def __iter__(self):
        return iter(range(6))

    def set_epoch(self, epoch):
        self.epoch = epoch


class Batches:
    """Three batches that tell the epoch by their sum; reading those before the first one wanted is a mistake."""

    def __init__(self):
        self.sampler = Epoch()
        self.first_batch = 0
        self.batch_size = 2

    def __len__(self):
        return 3

    def __iter__(self):
        return iter([[10 * self.sampler.epoch + number] * 2 for number in range(self.first_batch, 3)])


class Grouped(Sampler):
    """A stranger's: random batches of odd or of even numbers, drawn from its sampler and the data behind that."""

    def __init__(self, sampler):
        self.sampler = sampler
        self.batch_size = 2

    def __len__(self):
        return len(self.sampler) // 2

    def __iter__(self):
        groups = {0: [], 1: []}
        for index in self.sampler:
            group = groups[self.sampler.dataset[index] % 2]
            group.append(index)
            if len(group) == 2:
                yield list(group)
                group.clear()


class Numbers:
    """The data: every number is itself."""

    def __len__(self):
        return 100

    def __getitem__(self, index):
        return index


class Few(Numbers):
    def __len__(self):
        return 12


@pytest.mark.parametrize("done", [0, 2, 3, 4])
def test_every_pass_is_an_epoch_to_a_batch_sampler_and_done_batches_are_skipped(done):
    loader = DataLoader(Numbers(), batch_sampler=Batches())
    batches = endless(loader, done)
    expected = [0, 1, 2, 10, 11, 12, 20, 21, 22]
    assert [int(next(batches)[0]) for _ in range(9 - done)] == expected[done:]


@pytest.mark.parametrize("done", [1, 3, 7])
def test_the_batches_of_a_stranger_are_read_and_dropped(done):
    def batches(start):
        sampler = DefaultSampler(Few(), shuffle=True, seed=0)
        return endless(DataLoader(Few(), batch_sampler=Grouped(sampler)), start)

    straight, resumed = batches(0), batches(done)
    expected = [next(straight).tolist() for _ in range(12)]
    assert [next(resumed).tolist() for _ in range(12 - done)] == expected[done:]


def test_the_next_pass_begins_at_the_first_batch():
    loader = DataLoader(Numbers(), batch_sampler=Batches())
    assert [int(batch[0]) for batch in batches_from(loader, 2)] == [2]
    assert [int(batch[0]) for batch in loader] == [0, 1, 2]
