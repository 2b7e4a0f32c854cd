"""A checkpoint without a pickle: what comes back, and which files are refused in words."""

import json
import math

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tests.support import colours
from tests.support.colours import trained  # noqa: F401 - a fixture
from wsolkit import CheckpointError, Predictor, load_config, load_model
from wsolkit.config.stored import STORED, config_text
from wsolkit.weights.checkpoint import read_checkpoint, read_weights
from wsolkit.weights.plain_copy import plain_copy
from wsolkit.weights.safetensors_files import save_safetensors


def test_weights_and_plain_facts_come_back(tmp_path):
    tied = torch.arange(4.0)
    state = {"a": tied, "b": tied, "part": torch.arange(6)[2:4], "turned": torch.ones(2, 3).T, "none": torch.zeros(0)}
    meta = {"classes": ("owl", "wren"), "epoch": 3, "cfg": "import os", "odd": object(), "score": float("nan")}
    save_safetensors(tmp_path / "a.safetensors", state, meta)
    stored = read_checkpoint(tmp_path / "a.safetensors")
    assert stored["state_dict"].keys() == state.keys()
    assert all(torch.equal(stored["state_dict"][name], value) for name, value in state.items())
    assert math.isnan(stored["meta"].pop("score"))
    assert stored["meta"] == {"classes": ["owl", "wren"], "epoch": 3}
    assert read_weights(tmp_path / "a.safetensors").keys() == state.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_the_copy_of_a_checkpoint_predicts_alone(trained, tmp_path):  # noqa: F811
    config, checkpoint = trained
    stored = torch.load(checkpoint, weights_only=True)
    stored["meta"] |= {STORED: config_text(load_config(config)), "classes": list(colours.CLASSES)}
    torch.save({**stored, "optimizer": {"state": torch.ones(1000)}}, checkpoint)
    copy = plain_copy(checkpoint)
    assert copy == tmp_path / "best.safetensors"
    with safe_open(copy, "pt") as file:  # by any program
        assert json.loads(file.metadata()["wsolkit"])["meta"]["classes"] == list(colours.CLASSES)
        assert set(file.keys()) == set(stored["state_dict"])
    image = colours.scene((8, 8, 40, 40), colour=1)
    found = [Predictor.from_config(path, device="cpu")([image])[0].boxes for path in (checkpoint, copy)]
    assert found[0] == found[1] != []
    assert load_model(copy, device="cpu").classes == colours.CLASSES
    assert load_model(config, copy, device="cpu").classes == colours.CLASSES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no JSON", "the text 'wsolkit' in its metadata, which says what the model is, is damaged. Download"),
        ("[" * 100_000, "is damaged"),
        ('{"format": 1, "meta": []}', "is damaged"),
        ('{"format": 1}', "is damaged"),
        ('{"format": 2, "meta": {}}', "has the format 2, and this version reads 1. Install a newer wsolkit"),
        ('{"format": 1, "meta": {"classes": {"a": 1}}}', "meta.classes of the checkpoint .* should be a list of names"),
    ],
)
def test_what_a_file_says_of_itself_is_checked(tmp_path, text, words):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"wsolkit": text})
    with pytest.raises(CheckpointError, match=words):
        read_checkpoint(path)


def test_files_of_others_and_damaged_ones_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"layer.weight": torch.zeros(1)}, path, {"format": "pt"})
    assert read_weights(path)["layer.weight"].shape == (1,)
    with pytest.raises(CheckpointError, match=r"no checkpoint of a training: it has no state_dict, but \['layer"):
        load_model(path)
    save_safetensors(path, {"a": torch.zeros(100)}, {})
    with pytest.raises(CheckpointError, match=r"cannot be used alone: it holds no configuration"):
        load_model(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match=r"a\.safetensors \(\d+ bytes\) cannot be read as weights"):
        load_model(path)
