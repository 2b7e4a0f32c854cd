"""Batches are read in order, in processes or here; what goes wrong there is said in plain words."""

import os
import signal
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from torch.utils.data import Dataset
from torchvision.transforms import v2

from wsolkit.datasets import shared_memory
from wsolkit.datasets.reading import plain_worker_errors, prepare_image, read_batches
from wsolkit.errors import DataError

Usage = namedtuple("Usage", "free")
BATCHES = [[0, 1], [4], [2]]


class Numbers(Dataset):
    """Its own indices; number 2 goes wrong where that is asked for."""

    def __init__(self, trouble=None):
        self.trouble = trouble

    def __len__(self):
        return 5

    def __getitem__(self, index):
        if index == 2 and self.trouble == "error":
            raise DataError("The image 2.png cannot be read.")
        if index == 2 and self.trouble == "death":
            os.kill(os.getpid(), signal.SIGKILL)
        return index


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_in_order(workers):
    assert list(read_batches(Numbers(), BATCHES, list, workers)) == BATCHES
    assert list(read_batches(Numbers(), [], list, workers)) == []


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_keeps_its_words(workers):
    batches = read_batches(Numbers("error"), BATCHES, list, workers)
    assert next(batches) == [0, 1]
    with pytest.raises(DataError, match=r"^The image 2.png cannot be read\.$"):
        list(batches)


def test_a_process_that_dies_is_explained():
    with pytest.raises(DataError, match=r"^A process that reads images died \(DataLoader worker .*num_workers"):
        list(read_batches(Numbers("death"), BATCHES, list, 1))


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="^mine$"), plain_worker_errors():
        raise RuntimeError("mine")


def test_an_image_is_prepared_as_data_sets_do():
    pixels = torch.arange(12, dtype=torch.uint8).view(3, 2, 2)
    assert torch.equal(prepare_image(pixels, None), pixels)
    found = prepare_image(pixels, v2.Compose([v2.Resize((4, 4))]))
    assert (found.shape, type(found)) == ((3, 4, 4), torch.Tensor)


class Pictures(Numbers):
    """Each is 768 bytes."""

    def __getitem__(self, index):
        return {"inputs": torch.zeros(3, 16, 16, dtype=torch.uint8), "index": index, "reader": os.getpid()}


def test_without_room_in_shared_memory_this_process_reads(monkeypatch):
    """Two batches of 2 x 768 bytes that are read ahead, and one in use, have no room in 4000 bytes."""
    monkeypatch.setattr(shared_memory, "SHARED", Path(__file__).parent)
    monkeypatch.setattr(shared_memory.shutil, "disk_usage", lambda _: Usage(4000))
    with pytest.warns(UserWarning, match=r"^No of 2 processes read images \(num_workers\): .* has 0 MB free"):
        read = list(read_batches(Pictures(), BATCHES, list, 2))
    assert [[each["index"] for each in batch] for batch in read] == BATCHES
    assert {each["reader"] for batch in read for each in batch} == {os.getpid()}
