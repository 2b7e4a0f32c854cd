"""A small /dev/shm makes no training wait for ever."""

from collections import namedtuple

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader

from wsolkit.datasets import shared_memory
from wsolkit.training.train import train

Usage = namedtuple("Usage", "free")


@pytest.mark.parametrize(("free", "read"), [(5 << 30, 2), (7000, 2), (3000, 1), (100, 0)])
def test_as_many_processes_read_as_have_room(free, read, micro_config, tmp_path, monkeypatch, capsys):
    """A batch has 4 images of 3 x 8 x 8 bytes; each process reads 2 ahead, and one batch is in use."""
    seen = []

    class StopError(Exception):
        pass

    def stop(runner):
        seen.append(runner.train_loop.dataloader.num_workers)
        raise StopError

    monkeypatch.setattr(shared_memory.shutil, "disk_usage", lambda _: Usage(free))
    monkeypatch.setattr("wsolkit.training.train.run", stop)
    with pytest.raises(StopError):
        train(micro_config(train_dataloader__num_workers=2), tmp_path)
    assert seen == [read]
    told = f"{read or 'No'} of 2 processes read images (num_workers): /dev/shm has 0 MB free"
    assert (told in capsys.readouterr().out) is (read < 2)


def test_batches_of_a_sampler_count_whole(monkeypatch):
    """A sampler of batches, as CSoA's, leaves the loader without a batch size of its own."""
    monkeypatch.setattr(shared_memory.shutil, "disk_usage", lambda _: Usage(3000))
    batches = BatchSampler(range(8), 4, True)
    loader = DataLoader(torch.zeros(8, 192, dtype=torch.uint8), num_workers=2, batch_sampler=batches)
    assert "1 of 2 processes read images" in shared_memory.fit_workers(loader)
    assert loader.num_workers == 1
