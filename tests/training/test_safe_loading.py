"""Nothing in a checkpoint reaches mmengine unread: each attack here would leave a file behind if its code ran."""

import shutil

import pytest
import torch
from mmengine.config import Config
from torch import nn

from tests.support import micro
from wsolkit.config.load import unfreeze_random
from wsolkit.errors import CheckpointError
from wsolkit.training.checkpoints import resumable
from wsolkit.training.train import train


class Writes:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture(autouse=True)
def careless(monkeypatch):
    """The usual work-around of people whose checkpoints are refused."""
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """The folder of a training of one epoch, to be left as it is."""
    folder = tmp_path_factory.mktemp("once")
    micro.train(micro.load_config(micro.CONFIG, {"train_cfg.max_epochs": 1}), folder)
    return folder


@pytest.fixture
def trained(once, tmp_path):
    """A copy of it."""
    return shutil.copytree(once, tmp_path / "trained")


def change(path, **entries):
    """Write other entries into the ``meta`` of a checkpoint."""
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["meta"].update(entries)
    torch.save(checkpoint, path)


def test_a_configuration_in_a_checkpoint_is_not_run(micro_config, trained, tmp_path):
    change(trained / "last.pth", config=f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    training = train(micro_config(train_cfg__max_epochs=2), trained, resume=True)
    assert torch.load(training.last, weights_only=True)["meta"]["epoch"] == 2
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["model", "model.pth", "model.ckpt"])
def test_weights_to_start_from_run_nothing(micro_config, tmp_path, name):
    torch.save({"state_dict": {}, "meta": Writes(tmp_path / "ran")}, tmp_path / name)
    with pytest.raises(CheckpointError, match=r"model.* was refused: .*could run code: it asks for _?io\.open"):
        train(micro_config(load_from=str(tmp_path / name)), tmp_path / "work")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "work" / "config.py").exists()


@pytest.mark.parametrize("address", ["https://example.org/a.pth", "torchvision://resnet50", "s3://bucket/a.pth"])
def test_addresses_are_not_loaded(micro_config, tmp_path, address):
    with pytest.raises(CheckpointError, match=f"local files, but got {address}. Download the file"):
        train(micro_config(load_from=address), tmp_path)


def test_init_cfg_reads_safely(micro_config, tmp_path):
    init = {"type": "Pretrained", "checkpoint": str(tmp_path / "model"), "prefix": "backbone"}
    config = micro_config(model__init_cfg=init, train_cfg__max_epochs=1)
    torch.save({"state_dict": {}, "meta": Writes(tmp_path / "ran")}, tmp_path / "model")
    with pytest.raises(CheckpointError, match="was refused: .*could run code"):
        train(config, tmp_path / "work")
    assert not (tmp_path / "ran").exists()


def test_init_cfg_still_loads(micro_config, trained, tmp_path):
    init = {"type": "Pretrained", "checkpoint": str(trained / "last.pth")}
    config = micro_config(model__init_cfg=init, train_cfg__max_epochs=1, optim_wrapper__optimizer__lr=0.0)
    train(config, tmp_path / "work")
    first, second = (
        torch.load(path / "last.pth", weights_only=True)["state_dict"] for path in (trained, tmp_path / "work")
    )
    assert torch.equal(first["backbone.stem.weight"], second["backbone.stem.weight"])


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ("meta", [1], r"meta of the checkpoint .* should be a dict, but is a list"),
        ("meta", {"epoch": "1", "iter": 3}, r"its meta\.epoch is damaged"),
        ("meta", {"epoch": 1, "iter": -1}, r"its meta\.iter is damaged"),
        ("meta", {"epoch": 1, "iter": 3, "classes": 5}, r"meta\.classes of .* should be a list of names, but is a int"),
        ("optimizer", 3, r"its optimizer is damaged"),
    ],
)
def test_a_checkpoint_of_wrong_types_is_refused_in_words(trained, entry, value, words):
    checkpoint = torch.load(trained / "last.pth", weights_only=True)
    torch.save({**checkpoint, entry: value}, trained / "last.pth")
    with pytest.raises(CheckpointError, match=words):
        resumable(trained / "last.pth")


@pytest.mark.parametrize(("entry", "value"), [("optimizer", {"state": {}}), ("param_schedulers", [3])])
def test_what_the_engine_cannot_take_is_refused_in_words(micro_config, trained, entry, value):
    checkpoint = torch.load(trained / "last.pth", weights_only=True)
    torch.save({**checkpoint, entry: value}, trained / "last.pth")
    with pytest.raises(CheckpointError, match=r"cannot be resumed from: .*of another training.*options load_from="):
        train(micro_config(), trained, resume=True)


def test_weights_of_another_model_are_no_start(micro_config, trained, tmp_path):
    """Before anything is removed, and in the words of ``weights=``."""
    torch.save({"state_dict": nn.Linear(2, 3).state_dict()}, tmp_path / "foreign.pth")
    before = {path.name: path.read_bytes() for path in trained.glob("*.p*")}
    with pytest.raises(
        CheckpointError, match=r"foreign\.pth fits Localizer too little: 0% of its tensors, and min_match"
    ):
        train(micro_config(load_from=str(tmp_path / "foreign.pth")), trained, overwrite=True)
    assert {path.name: path.read_bytes() for path in trained.glob("*.p*")} == before


def test_a_start_keeps_the_backbone_frozen():
    """``load_from`` brings the weights, so that ``weights=None`` is no reason to unfreeze."""
    backbone = {"type": "TimmBackbone", "name": "resnet18", "weights": None}
    config = Config({"model": {"backbone": backbone, "freeze": ["layer4"]}, "load_from": "best.pth"})
    unfreeze_random(config)
    assert config.model["freeze"] == ["layer4"]
    config.load_from = None
    with pytest.warns(UserWarning, match=r"no pretrained weights, so model\.freeze is left out"):
        unfreeze_random(config)
    assert config.model["freeze"] == []


def test_the_start_stays_in_the_record(micro_config, trained, tmp_path):
    """Else a second resume, from the recorded configuration, would not know that the backbone had weights."""
    start = str(trained / "best.pth")
    training = train(micro_config(load_from=start, train_cfg__max_epochs=1), tmp_path / "work")
    train(micro_config(load_from=start, train_cfg__max_epochs=1), tmp_path / "work", resume=True)
    assert Config.fromfile(training.work_dir / "config.py").load_from == start
