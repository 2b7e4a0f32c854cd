"""Whole models of the authors' own code, by the names of their tensors: the answers are those of their networks."""

import pytest
import torch
from mmengine.config import Config
from torch import nn
from torchvision.models import densenet121, resnet18

from tests.plugins.test_wsolkit_ccnn import report_state
from wsolkit import CheckpointError, load_model, load_network
from wsolkit_psol import BoxRegressor

CONFIG = """
model = dict(
    type="Localizer",
    backbone=dict(type="{backbone}", name="resnet18", {levels}),
    head=dict({head}),
)
classes = ["a", "b", "c", "d", "e"]
val_dataloader = dict(dataset=dict(type="ImageFolder", data_root="x", pipeline=[dict(type="Resize", size=(64, 64))]))
"""


def config(folder, head, backbone="TimmBackbone", levels="levels=['layer4']"):
    (folder / "mine.py").write_text(CONFIG.format(head=head, backbone=backbone, levels=levels))
    return folder / "mine.py"


@pytest.fixture
def images():
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def test_the_last_stage_of_their_networks_is_not_dilated(tmp_path, network, images):
    """They take the stride of layer4 away and leave its convolutions as they are."""
    for part in (network.layer4[0].conv1, network.layer4[0].downsample[0]):
        part.stride = (1, 1)
    torch.save({"state_dict": network.state_dict()}, tmp_path / "a.pth.tar")
    levels = "levels=['layer4'], output_stride=16, dilate=False"
    path = config(tmp_path, 'type="CAMHead", num_classes=5', levels=levels)
    with torch.no_grad():
        answer = load_model(path, tmp_path / "a.pth.tar", device="cpu").model.activate(images)
        assert torch.allclose(answer.logits, network(images), atol=1e-4)


@pytest.fixture
def network():
    """A ResNet-18 of five classes whose norms are not the identity, without its mean over the cells."""
    torch.manual_seed(0)
    net = resnet18(num_classes=5)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -0.1, 0.1)
            nn.init.uniform_(part.running_var, 0.8, 1.2)
    return net.eval()


def features(net, images):
    """Return the maps of layer4."""
    maps = net.maxpool(net.relu(net.bn1(net.conv1(images))))
    return net.layer4(net.layer3(net.layer2(net.layer1(maps))))


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("form", ["linear", "conv"])
def test_cam_of_wsolevaluation(tmp_path, network, images, prefix, form):
    """Their checkpoint holds architecture, epoch, state_dict and optimizer; the classifier is ``fc``."""
    state = {prefix + name: value for name, value in network.state_dict().items()}
    content = {"architecture": "resnet18", "epoch": 50, "state_dict": state, "optimizer": {"state": {}}}
    torch.save(content, tmp_path / "last_checkpoint.pth.tar")
    path = config(tmp_path, f'type="CAMHead", num_classes=5, form="{form}"')
    model = load_model(path, tmp_path / "last_checkpoint.pth.tar", device="cpu").model
    with torch.no_grad():
        answer = model.activate(images)
        logits, maps = network(images), torch.einsum("kc,bchw->bkhw", network.fc.weight, features(network, images))
    assert torch.allclose(answer.logits, logits, atol=1e-4)
    assert torch.allclose(answer.maps, maps + network.fc.bias[:, None, None], atol=1e-4)


@pytest.mark.parametrize(("entry", "flag"), [("Flag", True), ("Flag", False), ("flag", True)])
def test_c2am_keeps_its_head_and_its_flag(tmp_path, network, images, entry, flag):
    conv, norm = nn.Conv2d(512, 1, 3, padding=1, bias=False), nn.BatchNorm2d(1).eval()
    nn.init.normal_(conv.weight, std=0.05)
    norm.running_mean.fill_(0.3)
    norm.running_var.fill_(2.0)
    state = {f"backbone.{name}": value for name, value in network.state_dict().items() if not name.startswith("fc")}
    state.update({f"ac_head.activation_head.{name}": value for name, value in conv.state_dict().items()})
    state.update({f"ac_head.bn_head.{name}": value for name, value in norm.state_dict().items()})
    content = {"state_dict": state, "epoch": 20, "CorLoc": 90.1, "Threshold": 0.3, entry: flag}
    torch.save(content, tmp_path / "current_epoch.pth")
    path = config(tmp_path, 'type="C2AMHead", levels=["layer4"]')
    model = load_model(path, tmp_path / "current_epoch.pth", device="cpu").model
    with torch.no_grad():
        p = torch.sigmoid(norm(conv(features(network, images))))
        maps = model.activate(images).maps
    assert torch.allclose(maps, 1 - p if flag else p, atol=1e-4)


def ccnn_state(width):
    state = report_state("backbone.")
    state["ac_head.activation_head.weight"] = torch.rand(1, width, 3, 3)
    for name in ("weight", "bias", "running_mean", "running_var"):
        state[f"ac_head.bn_head.{name}"] = torch.rand(1)
    state["ac_head.bn_head.num_batches_tracked"] = torch.tensor(7)
    return state


def test_ccnn_keeps_its_head_and_its_flag(tmp_path):
    state = ccnn_state(1280)
    torch.save({"state_dict": state, "Flag": True}, tmp_path / "report.pth")
    path = config(tmp_path, 'type="C2AMHead"', "CCNNBackbone", "dilate=False")
    own = load_model(path, tmp_path / "report.pth", device="cpu").model.state_dict()
    assert torch.equal(own["head.conv.weight"], state["ac_head.activation_head.weight"])
    assert torch.equal(own["head.norm.running_var"], state["ac_head.bn_head.running_var"])
    gate = "layer4.0.amm.ChannelAMM.mlp.1.weight"
    theirs = next(value for name, value in state.items() if name.endswith(gate))
    assert torch.equal(own["backbone.amm_stage.gates.layer4_0.mlp.0.weight"], theirs)
    assert own["head.polarity.decided"] == -1


@pytest.mark.parametrize(
    ("head", "content", "words"),
    [
        ('type="C2AMHead"', {}, r"authors has no Flag, .*set model\.head\.polarity='fg' or 'bg'"),
        (
            'type="C2AMHead", levels=["layer4"]',
            {"Flag": True},
            r"conv\.weight is \(1, 1280, 3, 3\) there and \(1, 512, 3, 3\)",
        ),
        ('type="CAMHead", num_classes=5', {"Flag": True}, r"was made for another model"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, head, content, words):
    torch.save({"state_dict": ccnn_state(1280), **content}, tmp_path / "report.pth")
    path = config(tmp_path, head, "CCNNBackbone", "dilate=False")
    with pytest.raises(CheckpointError, match=words):
        load_model(path, tmp_path / "report.pth", device="cpu")


@pytest.mark.parametrize(
    ("name", "level", "layers"), [("resnet18", "layer4", "fc"), ("densenet121", "final", "classifier")]
)
def test_psol_keeps_its_two_layers(tmp_path, images, name, level, layers):
    """Their files are bare state dicts; the last layer of the classifier's network makes room for two."""
    torch.manual_seed(0)
    net = {"resnet18": resnet18, "densenet121": densenet121}[name]()
    channels = getattr(net, layers).in_features
    setattr(net, layers, nn.Sequential(nn.Linear(channels, 16), nn.ReLU(), nn.Linear(16, 4), nn.Sigmoid()))
    torch.save(net.eval().state_dict(), tmp_path / "checkpoint_localization.pth.tar")
    backbone = {"type": "TimmBackbone", "name": name, "levels": [level]}
    config = Config({"model": {"type": "BoxRegressor", "backbone": backbone, "hidden": 16}})
    model = load_network(config, tmp_path / "checkpoint_localization.pth.tar", BoxRegressor, "cpu")
    with torch.no_grad():
        assert torch.allclose(model.regress(images), net(images), atol=1e-4)
