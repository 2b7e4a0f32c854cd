"""Files of weights are read without running code; what cannot be read is explained, for both readers alike."""

import os
import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from wsolkit.errors import CheckpointError
from wsolkit.weights.checkpoint import (
    check_weights,
    download_failed,
    find_state,
    load_weights,
    read_checkpoint,
    read_weights,
)

READERS = pytest.mark.parametrize("read", [read_checkpoint, read_weights])


class RunsCode:
    """What a malicious pickle looks like: loading it would call a function."""

    def __reduce__(self):
        return os.system, ("echo this must never run",)


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.fixture
def module():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".safetensors"])
def test_read_weights_gives_back_what_was_saved(tmp_path, module, suffix):
    path = tmp_path / f"weights{suffix}"
    state = module.state_dict()
    if suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({"epoch": 3, "arch": "net", "state_dict": state, "optimizer": {"lr": 0.1}}, path)

    found = read_weights(path)

    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


@READERS
@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_wants_to_run_code_is_refused(read, tmp_path, module, zipped, capfd):
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": module.state_dict(), "x": RunsCode()}, path, _use_new_zipfile_serialization=zipped)

    with pytest.raises(CheckpointError, match=r"evil\.pth was refused.*could run code.*system.*safetensors"):
        read(path)
    assert "must never run" not in capfd.readouterr().out


@READERS
@pytest.mark.parametrize("legacy", [False, True])
def test_a_malicious_checkpoint_is_refused_and_runs_nothing(read, tmp_path, legacy):
    target = tmp_path / "owned"
    path = tmp_path / "evil.pth"
    if legacy:
        path.write_bytes(pickle.dumps({"state_dict": Evil(target)}))
    else:
        torch.save({"state_dict": {}, "meta": Evil(target)}, path)
    said = "nothing in it was run" if legacy else r"was refused: .*could run code: it asks for _?io\.open\. Get the"
    with pytest.raises(CheckpointError, match=said) as caught:
        read(path)
    assert not target.exists()
    assert "weights_only" not in str(caught.value)  # torch's advice to turn the check off is not passed on


@READERS
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors", "empty", "text"])
def test_a_damaged_file_is_named_with_its_size(read, tmp_path, kind):
    path = tmp_path / ("weights.safetensors" if kind == "safetensors" else "weights.pth")
    state = {"a": torch.ones(9000)}
    if kind == "safetensors":
        save_file(state, path)
    elif kind in ("zip", "legacy"):
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    else:
        path.write_text("" if kind == "empty" else "<html>not found</html>")
    path.write_bytes(path.read_bytes()[: path.stat().st_size if kind in ("empty", "text") else 20_000])

    with pytest.raises(
        CheckpointError, match=rf"{path.name} \({path.stat().st_size} bytes\) cannot be read.*truncated.*copy it again"
    ):
        read(path)


@READERS
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_checkpoint_is_named_as_such(read, tmp_path, share):
    path = tmp_path / "last.pth"
    torch.save({"state_dict": {"a": torch.zeros(1000)}}, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"bytes.*truncated, damaged or no file of weights"):
        read(path)


@READERS
@pytest.mark.parametrize("content", [b"\x80\x04abc", b"\0" * 99, b"PK\x03\x04" + b"x" * 40])
def test_garbage_is_no_checkpoint(read, tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match="truncated, damaged or no file of weights"):
        read(tmp_path / "a.pth")


@READERS
def test_a_missing_file_is_answered_with_the_nearest(read, tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "best.pth")
    with pytest.raises(CheckpointError, match=r"no file of weights .*bst\.pth\. Did you mean 'best\.pth'"):
        read(tmp_path / "bst.pth")
    with pytest.raises(CheckpointError, match="Give the path of a .pth, .pt, .bin, .safetensors file"):
        read(tmp_path / "nowhere" / "best.pth")


def test_addresses_and_other_contents_are_explained(tmp_path):
    with pytest.raises(CheckpointError, match=r"local files, but got https://.*Download the file"):
        read_weights("https://example.org/net.pth")
    torch.save({"epoch": 3, "losses": [1.0]}, tmp_path / "log.pth")
    with pytest.raises(CheckpointError, match=r"holds no state dict, but \['epoch', 'losses'\]"):
        read_weights(tmp_path / "log.pth")


def test_find_state_looks_into_nested_wrappers():
    state = {"conv.weight": torch.ones(1)}
    assert find_state({"model": {"state_dict": state}, "epoch": torch.tensor(1)}) == state
    assert find_state([1, 2]) == {}


def test_text_and_other_files_are_no_checkpoints(tmp_path):
    (tmp_path / "a.pth").write_text("hello")
    with pytest.raises(CheckpointError, match="no file of weights"):
        read_checkpoint(tmp_path / "a.pth")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match=r"no state_dict, but \['weight'\].*weights="):
        read_checkpoint(tmp_path / "b.pth")


def test_weights_of_another_model_are_told_apart():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    state = model.state_dict()
    load_weights(model, {"state_dict": {f"module.{name}": value for name, value in state.items()}}, "x.pth")
    with pytest.raises(CheckpointError, match=r"x\.pth was made for another model: it lacks 0\.bias.*config\.py"):
        check_weights(model, {name: value for name, value in state.items() if name != "0.bias"}, "x.pth")
    with pytest.raises(CheckpointError, match=r"the model has no head\.weight"):
        check_weights(model, {**state, "head.weight": torch.zeros(1)}, "x.pth")
    with pytest.raises(CheckpointError, match=r"0\.weight is \(9, 2\) there and \(3, 2\) in the model"):
        check_weights(model, {**state, "0.weight": torch.zeros(9, 2)}, "x.pth")


def test_a_buffer_whose_size_the_first_batch_decides_takes_the_one_it_has_in_the_file():
    class Centres(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("centre", torch.zeros(0, 0, dtype=torch.float64))

    trained = nn.Sequential(Centres(), nn.Linear(2, 3))
    trained[0].centre = torch.tensor([[1.0, 2.0]])
    model = nn.Sequential(Centres(), nn.Linear(2, 3))
    load_weights(model, {"state_dict": trained.state_dict()}, "x.pth")
    assert model[0].centre.tolist() == [[1.0, 2.0]]
    assert model[0].centre.dtype == torch.float64
    trained[0].centre = torch.zeros(2, 2)
    with pytest.raises(CheckpointError, match=r"0\.centre is \(2, 2\) there and \(1, 2\) in the model"):
        load_weights(model, {"state_dict": trained.state_dict()}, "x.pth")


def test_a_failed_download_names_the_ways_out():
    words = str(download_failed("timm's net", OSError("no route to host\nsecond line")))
    assert "timm's net could not be downloaded (OSError: no route to host)" in words
    assert "weights=PATH" in words
    assert "--cfg-options" in words
    assert "HF_HOME" in words
