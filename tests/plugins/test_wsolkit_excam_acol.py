"""The second classifier of ex-CAM: what the first one found is blacked out, and the maps of both are averaged."""

import copy

import pytest
import torch

from tests.support.config_steps import drawn, one_step
from wsolkit import Activation, CamMethod, CheckpointError, ConfigError, ShapeError
from wsolkit.config.load import load_config
from wsolkit.maps import finish_maps
from wsolkit.model.preprocess import ImagePreprocessor
from wsolkit.registry import MODELS
from wsolkit.training.train import train
from wsolkit_excam import AverageWithFirst, EraseFound, FirstClassifier

CONFIG = """
multi_label = {multi_label}
classes = ["a", "b", "c"]
model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="test_resnet"),
    head=dict(type="ConvHead", num_classes=3, maps_per_class=2),
    precision="fp32",
)
"""


def trained(folder, multi_label=True, classes=3):
    """Leave a model of random weights as training leaves one, and return its checkpoint and the model."""
    folder.mkdir()
    text = CONFIG.format(multi_label=multi_label)
    if classes != 3:
        text = text.replace('["a", "b", "c"]', str([str(k) for k in range(classes)])).replace("=3", f"={classes}")
    (folder / "config.py").write_text(text)
    torch.manual_seed(0)
    model = MODELS.build(load_config(folder / "config.py").model)
    with torch.no_grad():
        model.head.classifier.weight.mul_(100)
        model.head.classifier.bias.copy_(torch.linspace(-1, 1, len(model.head.classifier.bias)))
    torch.save({"state_dict": model.state_dict(), "meta": {"epoch": 1}}, folder / "best.pth")
    return folder / "best.pth", model.eval()


def pixels(count=3, side=64, seed=0):
    return torch.randint(
        0, 256, (count, 3, side, side), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8
    )


def found_by_loops(model, images, threshold, multi_label):
    """Which pixels of each image exceed the threshold in a map of a predicted class."""
    activation = model.activate(images)
    found = torch.zeros(len(images), *images.shape[-2:], dtype=torch.bool)
    for image, logits in enumerate(activation.logits):
        for k, logit in enumerate(logits):
            if k == int(logits.argmax()) or (multi_label and float(logit) > 0):
                found[image] |= finish_maps(activation.maps[image, k], images.shape[-2:]) > threshold
    return found


@pytest.mark.parametrize("multi_label", [True, False])
@torch.no_grad()
def test_what_the_first_classifier_found_is_black(tmp_path, multi_label):
    checkpoint, model = trained(tmp_path / "first", multi_label)
    images = model.data_preprocessor({"inputs": pixels()})["inputs"]
    counts = (model.activate(images).logits > 0).sum(1)
    assert int(counts.max()) > 1
    modifier = EraseFound(checkpoint, threshold=0.7)
    erased = modifier(images)
    found = found_by_loops(model, images, 0.7, multi_label)
    black = model.data_preprocessor({"inputs": torch.zeros(1, 3, 1, 1, dtype=torch.uint8)})["inputs"]
    assert torch.equal(erased, torch.where(found[:, None], black, images))
    lost = modifier.scalars()["erased"]
    assert lost == pytest.approx(float(found.float().mean()))
    assert 0.02 < lost < 0.98


@torch.no_grad()
def test_images_that_are_normalised_in_another_way_are_seen_alike(tmp_path):
    checkpoint, model = trained(tmp_path / "first")
    halves = ImagePreprocessor(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    own, other = (each({"inputs": pixels()})["inputs"] for each in (model.data_preprocessor, halves))
    erased = EraseFound(checkpoint, preprocessor=halves)(other)
    expected = EraseFound(checkpoint)(own)
    black = (expected != own).any(1, keepdim=True)
    assert torch.allclose(erased, torch.where(black, torch.tensor(-1.0), other), atol=1e-6)
    with pytest.raises(ConfigError, match="works on images of an ImagePreprocessor, but got Identity"):
        EraseFound(checkpoint, preprocessor=torch.nn.Identity())(other)


def test_the_first_classifier_is_loaded_late_and_is_no_part_of_the_model(tmp_path):
    EraseFound(tmp_path / "nowhere.pth")  # nothing is looked at before it is needed
    checkpoint, _ = trained(tmp_path / "first")
    model = MODELS.build(
        {
            "type": "Localizer",
            "backbone": {"type": "TimmBackbone", "name": "test_resnet"},
            "head": {"type": "ConvHead", "num_classes": 3},
            "modifiers": [{"type": "EraseFound", "at": "image", "checkpoint": str(checkpoint)}],
            "data_preprocessor": {"type": "ImagePreprocessor", "mean": (0.5,) * 3, "std": (0.5,) * 3},
            "precision": "fp32",
        }
    )
    names, modules = list(model.state_dict()), len(list(model.modules()))
    images = model.data_preprocessor({"inputs": pixels()})["inputs"]
    model.eval().activate(images)
    (modifier,) = model.image_modifiers
    assert modifier.first._model is None  # whole images in evaluation
    model.train()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    changed = modifier(images)
    assert torch.equal(torch.rand(3), expected)  # resumed trainings load it at another step
    assert float(changed.min()) == -1
    model.activate(images).logits.sum().backward()
    first = modifier.first.model(images.device)
    assert not first.training
    assert not any(weight.requires_grad or weight.grad is not None for weight in first.parameters())
    assert list(model.state_dict()) == names
    assert len(list(model.modules())) == modules
    again = copy.deepcopy(model).train()
    assert torch.equal(again.image_modifiers[0](images), changed)


@torch.no_grad()
def test_the_average_of_both_maps(tmp_path):
    checkpoint, first = trained(tmp_path / "first")
    torch.manual_seed(3)
    config = load_config(tmp_path / "first" / "config.py").model
    config.modifiers = [{"type": "EraseFound", "at": "image", "checkpoint": str(checkpoint)}]
    config.data_preprocessor = {"type": "ImagePreprocessor", "mean": (0.5,) * 3, "std": (0.5,) * 3}
    model = MODELS.build(config).eval()
    seen, own = (each.data_preprocessor({"inputs": pixels()})["inputs"] for each in (first, model))
    classes = torch.tensor([[0, 1], [2, 0], [1, 1]])
    size = (64, 64)
    one = finish_maps(first.activate(seen).of(classes), size)
    two = finish_maps(model.activate(own).of(classes), size)
    raw = AverageWithFirst().raw_maps(model, own, classes)
    torch.testing.assert_close(raw, (one + two) / 2, atol=1e-4, rtol=0)
    maps = AverageWithFirst()(model, own, classes)
    assert maps.shape == (3, 2, 64, 64)
    torch.testing.assert_close(maps, finish_maps(raw, size), atol=1e-4, rtol=0)
    torch.testing.assert_close(AverageWithFirst()(model, own, classes[:, 0]), maps[:, 0])
    itself = AverageWithFirst(checkpoint).raw_maps(first, seen, classes)  # a checkpoint of its own comes first
    torch.testing.assert_close(itself, one, atol=1e-4, rtol=0)


class Corner(CamMethod):
    """A map that is 1 in one corner, whatever the model."""

    def raw_maps(self, model, images, classes, activation=None):
        maps = torch.zeros(*classes.shape, 2, 2)
        maps[..., 0, 0] = 1
        return maps


@torch.no_grad()
def test_each_of_the_two_has_its_own_cam_method(tmp_path):
    checkpoint, first = trained(tmp_path / "first")
    images = first.data_preprocessor({"inputs": pixels()})["inputs"]
    classes = torch.tensor([0, 1, 2])
    plain = first.cam_method(first, images, classes)
    corner = Corner()(first, images, classes)
    found = AverageWithFirst(checkpoint, of=Corner()).raw_maps(first, images, classes)
    torch.testing.assert_close(found, (plain + corner) / 2, atol=1e-4, rtol=0)
    other = AverageWithFirst(checkpoint)
    other.first_of(first).model(images.device).cam_method = Corner()
    torch.testing.assert_close(other.raw_maps(first, images, classes), (plain + corner) / 2, atol=1e-4, rtol=0)


@torch.no_grad()
def test_what_is_missing_is_said(tmp_path):
    checkpoint, model = trained(tmp_path / "first")
    images, classes = torch.randn(1, 3, 64, 64), torch.tensor([0])
    for given in (None, "", "none"):
        with pytest.raises(
            ConfigError, match="EraseFound needs a first classifier .* has no checkpoint.*wsolkit train"
        ):
            EraseFound(given)(images)
    with pytest.raises(ConfigError, match="AverageWithFirst needs a first classifier .* has no checkpoint"):
        AverageWithFirst()(model, images, classes)
    with pytest.raises(CheckpointError, match=r"EraseFound needs a first .* no checkpoint .*nowhere.pth.*Train one"):
        EraseFound(tmp_path / "nowhere.pth")(images)
    alone = tmp_path / "alone.pth"
    alone.write_bytes(checkpoint.read_bytes())
    with pytest.raises(
        ConfigError, match=r"AverageWithFirst .*alone.pth, but the checkpoint holds none and there is no config.py"
    ):
        AverageWithFirst(alone)(model, images, classes)
    EraseFound(alone, config=tmp_path / "first" / "config.py")(images)
    checkpoint.with_name("text.pth").write_text("no checkpoint")
    with pytest.raises(CheckpointError, match=r"text.pth \(13 bytes\) cannot be read as weights"):
        EraseFound(checkpoint.with_name("text.pth"))(images)
    torch.save({"weight": torch.zeros(2)}, checkpoint.with_name("foreign.pth"))
    with pytest.raises(CheckpointError, match=r"foreign.pth is no checkpoint of a training"):
        AverageWithFirst(checkpoint.with_name("foreign.pth"))(model, images, classes)
    other, _ = trained(tmp_path / "other", classes=5)
    with pytest.raises(ConfigError, match=r"same classes, but the first classifier .*best.pth has 5 and this model 3"):
        AverageWithFirst(other)(model, images, classes)
    with pytest.raises(ShapeError, match=r"EraseFound erases images \(B, 3, H, W\), but got .*at='image'"):
        EraseFound(checkpoint)(torch.randn(1, 6, 8, 8))
    with pytest.raises(ConfigError, match=r"threshold of EraseFound should be a number in \[0, 1\), but got 1"):
        EraseFound(checkpoint, threshold=1)


def test_a_model_that_does_not_classify_has_one_map(tmp_path, monkeypatch):
    checkpoint, _ = trained(tmp_path / "first")
    first = FirstClassifier("a test", checkpoint)
    model = first.model(torch.device("cpu"))
    monkeypatch.setattr(model.head, "forward", lambda levels, batch=None: Activation(levels["layer4"][:, :1]))
    images = torch.randn(2, 3, 64, 64)
    found = first.regions(images, 0.5)
    expected = finish_maps(model.activate(images).maps[:, 0], (64, 64)) > 0.5
    assert torch.equal(found, expected)


def second(checkpoint, batch=4):
    """Return the shipped configuration of the second classifier for a few drawn scenes."""
    options = {} if checkpoint is None else {"model.modifiers.0.checkpoint": str(checkpoint)}
    config = drawn(load_config("excam_acol_mobilenetv2_voc", options), batch, 3, True, 64)
    config["train_cfg"].update(max_epochs=1)
    for scheduler in config["param_scheduler"]:
        scheduler.update(begin=0, end=1)
        scheduler.pop("T_max", None)
    config["default_hooks"]["progress_bar"] = None
    return config


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_a_step_of_the_configuration_after_one_of_the_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="EraseFound needs a first .*work_dirs/wildcat_mobilenetv2_voc/best.pth"):
        train(second(None), tmp_path / "without", seed=0)
    one_step("wildcat_mobilenetv2_voc", tmp_path / "first", multi_label=True)
    done = train(second(tmp_path / "first" / "last.pth"), tmp_path / "second", seed=0)
    state = torch.load(done.last, weights_only=True)["state_dict"]
    assert not [name for name in state if "first" in name or "image_modifiers" in name]
    model = MODELS.build(load_config(tmp_path / "second" / "config.py").model)
    model.load_state_dict(state)
    predictions = model.eval().predict(torch.randn(2, 3, 64, 64), torch.eye(3)[:2])
    assert predictions[0].maps.shape[1:] == (64, 64)
    assert 0 <= float(predictions[0].maps.min()) <= float(predictions[0].maps.max()) <= 1


def test_a_missing_first_classifier_is_told_before_a_training_begins(tmp_path):
    with pytest.raises(CheckpointError, match=r"EraseFound needs a first classifier, but there is no checkpoint"):
        EraseFound(checkpoint=tmp_path / "best.pth").prepare_training()


@pytest.mark.parametrize("at", ["maps", "layer4"])
def test_what_erases_images_sits_on_images_alone(at):
    with pytest.raises(
        ConfigError, match=r"EraseFound works at='image' alone, but sits at .* of \w+\. Write at='image'"
    ):
        MODELS.build(
            {
                "type": "Localizer",
                "backbone": {"type": "TimmBackbone", "name": "test_resnet"},
                "head": {"type": "ConvHead", "num_classes": 3},
                "modifiers": [{"type": "EraseFound", "at": at, "checkpoint": "first.pth"}],
            }
        )
