"""The configuration in a checkpoint: what is written, what is read, and what is refused unread."""

import json
import sys
from pathlib import Path

import pytest
import torch

from tests.support import colours, micro
from wsolkit import CheckpointError, ConfigError, Predictor, load_config, load_model
from wsolkit.cli.main import main
from wsolkit.config.data_only import data_only
from wsolkit.config.stored import STORED, config_text, holds_config, stored_config
from wsolkit.training.train import train


@pytest.fixture
def alone(trained, tmp_path):
    """Write a checkpoint with the configuration in it, changed by a function where one is given."""
    config, checkpoint = trained

    def write(change=lambda document: None):
        document = json.loads(config_text(load_config(config)))
        change(document)
        stored = torch.load(checkpoint, weights_only=True)
        stored["meta"][STORED] = json.dumps(document)
        torch.save(stored, tmp_path / "alone.pth")
        return tmp_path / "alone.pth"

    return write


def test_a_checkpoint_alone_is_the_model_of_its_configuration(alone, trained):
    config, checkpoint = trained
    image = colours.scene((8, 8, 40, 40), colour=1)
    found = [
        Predictor.from_config(*given, device="cpu")([image])[0].boxes for given in ((config, checkpoint), (alone(),))
    ]
    assert found[0] == found[1] != []
    loaded = load_model(alone(), device="cpu")
    assert loaded.classes == colours.CLASSES
    assert loaded.pipeline == [{"type": "Resize", "size": [32, 32]}]
    assert loaded.model.data_preprocessor.scale.tolist() == pytest.approx([1 / 255] * 3)
    assert load_model(alone(), options={"model.box_extractor.threshold": 0.7}).model.box_extractor.threshold == 0.7


def test_training_stores_what_it_resolved(micro_config, tmp_path):
    outcome = train(micro_config(train_cfg__max_epochs=1), tmp_path / "run")
    assert holds_config(outcome.last)
    document = json.loads(torch.load(outcome.last, weights_only=True)["meta"][STORED])
    assert document["config"]["model"]["head"] == {"type": "LinearHead", "dropout": 0.2, "num_classes": 3}
    assert document["config"]["classes"] == ["ant", "bee", "cat"]
    assert document["imports"] == ["tests.support.micro"]
    assert document["sources"]["LinearHead"].startswith("plugin 'core' of wsolkit ")
    assert "work_dir" not in document["config"]
    assert load_model(outcome.best, device="cpu").classes == ("ant", "bee", "cat")


@pytest.mark.parametrize("path", sorted(Path("configs").resolve().glob("c*_resnet50_*.py")), ids=lambda path: path.stem)
def test_shipped_configurations_are_plain_values(path):
    config = load_config(path)
    stored = stored_config({"meta": {STORED: config_text(config)}}, "it")
    assert stored.model.to_dict() == json.loads(json.dumps(config.model.to_dict()))
    assert stored.test_dataloader.dataset.type == config.test_dataloader.dataset.type


def test_what_is_no_plain_value_is_said(alone):
    config = load_config(micro.CONFIG)
    config.model.head.type = micro.MicroBackbone
    with pytest.raises(
        CheckpointError, match=r"no plain data \('model.head.type is of the type ABCMeta'\). Name the configuration"
    ):
        stored_config({"meta": {STORED: config_text(config)}}, "a.pth")


def set_head(name, source=None):
    def change(document):
        document["config"]["model"]["head"]["type"] = name
        document["sources"] |= {name: source} if source else {}

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_head("subprocess.Popen"), r"model.head.type is 'subprocess.Popen'. They came from code of its author's"),
        (set_head("evil_module"), "names parts that are not installed: model.head.type is 'evil_module'"),
        (set_head(["LinearHead"]), r"model.head.type is \['LinearHead'\]"),
        (
            set_head("NewHead", "plugin 'new' of new-heads 2.1"),
            r"Install what is missing \(\"plugin 'new' of new-heads",
        ),
        (lambda document: document["config"]["model"].update(_scope_="evil_module"), "model._scope_ is 'evil_module'"),
        (lambda document: document["config"].update(val_evaluator={"type": "DumpResults"}), "val_evaluator.type is"),
        (lambda document: document["config"]["model"]["head"].update(config="x.py"), "head.config names 'x.py', and"),
        (lambda document: document["config"].update(model=[]), "is damaged: model is a list"),
        (lambda document: document["config"]["test_dataloader"]["dataset"].update(pipeline=7), "is damaged: TypeError"),
        (lambda document: document.update(format=2), "has the format 2, and this version reads 1. Install a newer"),
        (lambda document: document.pop("config"), "is damaged: it holds no settings"),
    ],
)
def test_anything_but_installed_parts_is_refused(alone, tmp_path, monkeypatch, change, words):
    (tmp_path / "evil_module.py").write_text("raise SystemExit('this was run')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CheckpointError, match=words):
        load_model(alone(change), device="cpu")
    assert "evil_module" not in sys.modules


def test_python_beside_the_settings_is_not_run(alone, tmp_path, monkeypatch):
    def change(document):
        document["config"] |= {"custom_imports": {"imports": ["evil_module"]}, "_base_": ["evil_module.py"]}

    (tmp_path / "evil_module.py").write_text("raise SystemExit('this was run')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert load_model(alone(change), device="cpu").classes == colours.CLASSES
    assert "evil_module" not in sys.modules


def test_no_python_is_read_while_data_is_built():
    with (
        data_only(),
        pytest.raises(ConfigError, match="a checkpoint alone runs no code, and a configuration in Python"),
    ):
        load_config(micro.CONFIG)


def test_a_checkpoint_without_a_configuration_says_what_to_do(trained):
    config, checkpoint = trained
    with pytest.raises(
        CheckpointError, match=r"best.pth cannot be used alone: it holds no configuration.*Name the conf"
    ):
        load_model(checkpoint)
    with pytest.raises(ConfigError, match=r"A model needs a checkpoint, but got the configuration .*colours.py only"):
        load_model(config)
    assert not holds_config(checkpoint)


def test_another_backbone_is_told_in_words_before_the_names_of_weights(alone, trained, tmp_path, capsys):
    """Also by the command, and before the folder, which holds results of other settings, is looked into."""
    checkpoint = alone()
    other = tmp_path / "other.py"
    other.write_text(trained[0].read_text("utf-8").replace('type="ColourBackbone"', 'type="MicroBackbone"'), "utf-8")
    words = (
        rf"^The checkpoint {checkpoint} was trained with another configuration than {other}: with the backbone "
        r"ColourBackbone and not MicroBackbone. Give its own \(config.py beside it\), or the checkpoint alone. In "
        r"detail: .* it lacks backbone.stem.weight"
    )
    with pytest.raises(CheckpointError, match=words):
        load_model(other, checkpoint, device="cpu")
    with pytest.raises(CheckpointError, match=r"^The checkpoint .* was made for another model: it lacks"):
        load_model(other, trained[1], device="cpu")  # it holds no configuration
    out = tmp_path / "test"
    out.mkdir()
    (out / "results.json").write_text('{"wsolkit": "0", "results": [], "checkpoint": "another.pth"}')
    assert main(["test", str(other), str(checkpoint), "--out", str(out), "--device", "cpu"]) == 2
    assert "with the backbone ColourBackbone and not MicroBackbone" in capsys.readouterr().err
    assert main(["test", str(checkpoint), "--out", str(out), "--device", "cpu"]) == 2
    assert f"{out} holds the results of another.pth" in capsys.readouterr().err
