"""Sizes that a file of weights names are not believed, and what is no weights is told apart."""

import time
import zipfile

import pytest
import torch
from torch import nn

from wsolkit.errors import CheckpointError
from wsolkit.weights import safely
from wsolkit.weights.checkpoint import read_checkpoint, read_weights
from wsolkit.weights.safely import read_safely


class Calls:
    """A pickle that calls a function when it is loaded."""

    def __init__(self, function, argument):
        self.call = function, (argument,)

    def __reduce__(self):
        return self.call


def repack(path, compression, change=lambda _, data: data):
    """Write the records of a zipped file anew."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in records.items():
            archive.writestr(name, change(name, data))


def test_packed_zeros_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    torch.save({"a": torch.zeros(250_000)}, tmp_path / "a.pth")
    repack(tmp_path / "a.pth", zipfile.ZIP_DEFLATED)
    assert read_weights(tmp_path / "a.pth")["a"].shape == (250_000,)  # within reason it is read
    monkeypatch.setattr(safely, "MORE", 500_000)
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(CheckpointError, match=r"a\.pth was refused: its \d{4} bytes would unpack to 100\d{4}\."):
        read_safely(tmp_path / "a.pth")


@pytest.mark.parametrize("zipped", [True, False])
def test_views_that_repeat_a_buffer_are_read_within_reason(tmp_path, monkeypatch, zipped):
    repeated = torch.arange(3.0).reshape(3, 1).expand(3, 1000)
    tied = torch.ones(500)
    torch.save({"b": tied, "c": tied, "a": repeated}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    assert torch.equal(read_weights(tmp_path / "a.pth")["a"], repeated)
    monkeypatch.setattr(safely, "MORE", 10_000)
    with pytest.raises(
        CheckpointError, match=r"a\.pth was refused: it names a tensor of 3000 numbers, but has \d+ bytes"
    ):
        read_safely(tmp_path / "a.pth")


@pytest.mark.parametrize("function", [bytearray, torch.Tensor, torch.UntypedStorage])
def test_memory_that_a_file_asks_for_is_not_given(tmp_path, function):
    torch.save({"state_dict": {}, "x": Calls(function, 10**15)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"cannot be read as weights: .*nothing in it was run"):
        read_safely(tmp_path / "a.pth")


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_program_is_told_apart(tmp_path):
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"it is a TorchScript program, which is code; save its state_dict\(\)"):
        read_safely(tmp_path / "a.pt")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_quantized_weights_are_told_apart(tmp_path):
    torch.save({"a": torch.quantize_per_tensor(torch.ones(3), 1.0, 0, torch.qint8)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"a tensor of the shape \(3,\) that is no dense array \(quantized\)"):
        read_safely(tmp_path / "a.pth")


def test_a_file_that_holds_itself_is_refused(tmp_path):
    content = {"epoch": 1}
    content["state_dict"] = content
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"holds no state dict, but \['epoch', 'state_dict'\]"):
        read_weights(tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="should hold tensors by name, but 'epoch' is a int"):
        read_checkpoint(tmp_path / "a.pth")


def test_long_lists_are_looked_through_in_no_time():
    """Every number of a list waits to be looked at; taking each from a list's beginning would take minutes."""
    began = time.perf_counter()
    assert len(list(safely.tensors_in([[0.0] * 200_000, torch.tensor(1)]))) == 1
    assert time.perf_counter() - began < 3
