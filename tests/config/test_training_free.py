"""Models in which nothing is trained are used without a checkpoint, with the weights their configuration names."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from wsolkit import ConfigError, Predictor, load_config, load_model
from wsolkit.cli.main import main
from wsolkit.registry import BACKBONES, STAGES

CONFIG = """
model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="test_resnet", levels=["layer3"], weights="{weights}"),
    head=dict(type="FeatureHead"),
    cam_method=dict(type="HeadMaps"),
    precision="fp32",
)
test_dataloader = dict(
    batch_size=4, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="SyntheticParts", split="test", num_images=5, num_classes=3, image_size=64, load_targets=True,
        test_mode=True, pipeline=[dict(type="Resize", size=(64, 64), antialias=True)],
    ),
)
val_dataloader = dict(
    batch_size=4, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(
        type="SyntheticParts", split="val", num_images=5, num_classes=3, image_size=64, load_targets=True,
        test_mode=True, pipeline=[dict(type="Resize", size=(64, 64), antialias=True)],
    ),
)
val_evaluator = dict(type="LocalizationMetric", thresholds=10)
test_evaluator = val_evaluator
default_scope = "wsolkit"
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Return a folder with weights of a network, a configuration that names them, and photographs."""
    folder = tmp_path_factory.mktemp("free")
    torch.manual_seed(0)
    network = BACKBONES.build({"type": "TimmBackbone", "name": "test_resnet", "levels": ["layer3"]})
    torch.save(network.model.state_dict(), folder / "weights.pth")
    (folder / "free.py").write_text(CONFIG.format(weights=folder / "weights.pth"))
    (folder / "photos").mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "photos" / f"{number}.png")
    return folder


def test_the_backbone_keeps_the_weights_of_the_configuration(there):
    loaded = load_model(there / "free.py", device="cpu")
    state = torch.load(there / "weights.pth", weights_only=True)
    kept = loaded.model.backbone.model.state_dict()
    assert all(torch.equal(kept[name], state[name]) for name in kept)
    assert not loaded.model.training
    assert loaded.origin.keys() == {"config", "config_sha256"}
    assert loaded.training == {}


def test_it_predicts(there):
    predictor = Predictor.from_config(str(there / "free.py"), device="cpu", keep_maps=True)
    assert (predictor.classifies, predictor.class_agnostic) == (False, True)
    results = predictor(str(there / "photos"))
    assert [result.image_id for result in results] == ["0.png", "1.png", "2.png"]
    assert all(result.boxes and result.maps[0].std() > 0 for result in results)
    again = Predictor.from_config(load_config(there / "free.py"), device="cpu")(str(there / "photos"))
    assert [result.boxes[0].box for result in again] == [result.boxes[0].box for result in results]


def test_the_commands(there, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config, photos = there / "free.py", there / "photos"
    words = [str(config), str(photos), "--out", "found", "--device", "cpu", "--num-workers", "0"]
    assert main(["predict", *words, "--draw"]) == 0
    assert len(json.loads((tmp_path / "found" / "boxes.json").read_text())) == 3
    assert main(["predict", *words]) == 0
    assert "3 of 3 images were done before." in capsys.readouterr().out
    assert main(["test", str(config), "--device", "cpu", "--no-report"]) == 0
    results = json.loads((tmp_path / "work_dirs" / "free" / "test" / "results.json").read_text())
    assert (results["name"], results.get("checkpoint")) == ("free", None)
    assert results["results"]
    assert main(["test", str(config), "--device", "cpu", "--no-report"]) == 0  # the same again may be replaced
    assert main(["export", str(config), "--to", "torchscript"]) == 0
    assert (tmp_path / "work_dirs" / "free" / "torchscript" / "model.pt").exists()


def test_what_is_trained_needs_a_checkpoint(there, tmp_path):
    option = {"model.head": {"_delete_": True, "type": "ConvHead", "num_classes": 3}}
    words = (
        r"^A model needs a checkpoint, but got the configuration .*free\.py only: the head ConvHead has trained "
        r"parameters\. Give the checkpoint as well, or the checkpoint alone"
    )
    with pytest.raises(ConfigError, match=words):
        load_model(there / "free.py", options=option)
    with pytest.raises(ConfigError, match=r"only: the head PartsHead has trained parameters"):
        Predictor.from_config(str(there / "free.py"), cfg_options={"model.head.type": "PartsHead"})


def test_random_weights_are_warned_of(there):
    with pytest.warns(UserWarning, match=r"without a training, and its TimmBackbone starts from random weights"):
        load_model(there / "free.py", options={"model.backbone.weights": None}, device="cpu")


@pytest.mark.parametrize("kind", ["Test", "Maps"])
def test_stages_take_it_without_a_checkpoint(there, kind):
    split = {"split": "test"}
    stage = STAGES.build({"type": kind, "config": str(there / "free.py"), "device": "cpu", **split})
    assert stage.declares()["configuration"]["model"]["head"]["type"] == "FeatureHead"
    assert there / "weights.pth" in stage.inputs()
    assert not stage.load().model.training
    trained = STAGES.build({"type": kind, "config": "{net}/config.py", **split})
    with pytest.raises(ConfigError, match=r"\{net\}/config\.py is written by a training\. Name its checkpoint too"):
        trained.declares()
    head = {"model.head": {"_delete_": True, "type": "ConvHead", "num_classes": 3}}
    needs = STAGES.build({"type": kind, "config": str(there / "free.py"), "options": head, **split})
    with pytest.raises(ConfigError, match="the head ConvHead has trained parameters"):
        needs.declares()
