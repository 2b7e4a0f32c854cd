import pytest
import torch
import torchvision
from torch import nn

from wsolkit.components.backbones.vgg_gap import VGG16GAP
from wsolkit.errors import CheckpointError, ConfigError


@pytest.mark.parametrize(("large", "cells"), [(False, 14), (True, 28)])
def test_maps_at_224_pixels(large, cells):
    with torch.device("meta"):
        levels = VGG16GAP(large_feature_map=large)(torch.zeros(1, 3, 224, 224))
    assert {name: tuple(maps.shape[1:]) for name, maps in levels.items()} == {
        "block3": (256, 56, 56),
        "block4": (512, 28, 28),
        "block5": (512, cells, cells),
        "conv6": (1024, cells, cells),
    }


def test_without_extra_channels_block5_is_the_deepest_level():
    with torch.device("meta"):
        backbone = VGG16GAP(extra_channels=0)
    assert list(backbone.channels) == list(backbone.strides) == ["block3", "block4", "block5"]
    assert not hasattr(backbone, "conv6")


@pytest.fixture(scope="module")
def reference():
    """A VGG16 in torchvision's layout without its dense layers, which would take seconds to draw."""
    torch.manual_seed(0)
    with torch.device("meta"):
        model = torchvision.models.vgg16()
    model.classifier = nn.Sequential(nn.Linear(1, 1))
    return model.to_empty(device="cpu").apply(draw).eval()


def draw(module):
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
        nn.init.uniform_(module.bias)


@torch.no_grad()
def test_torchvision_weights_give_torchvisions_features(tmp_path, reference):
    torch.save(reference.state_dict(), tmp_path / "vgg16.pth")

    backbone = VGG16GAP(weights=tmp_path / "vgg16.pth")

    assert backbone.report.ratio == 1
    assert len(backbone.report.matched) == 26
    assert backbone.report.unexpected == ("classifier.0.weight", "classifier.0.bias")
    images = torch.rand(1, 3, 32, 48)
    levels = backbone(images)
    assert torch.equal(levels["block4"], reference.features[:23](images))
    assert torch.equal(levels["block5"], reference.features[:30](images))


def test_own_weights_bring_conv6_along(tmp_path):
    backbone = VGG16GAP(extra_channels=4)
    torch.save({"state_dict": {f"backbone.{k}": v for k, v in backbone.state_dict().items()}}, tmp_path / "own.pth")
    again = VGG16GAP(extra_channels=4, weights=tmp_path / "own.pth")
    assert torch.equal(again.conv6.weight, backbone.conv6.weight)


def test_modules_have_the_names_papers_use():
    with torch.device("meta"):
        names = dict(VGG16GAP(large_feature_map=True).named_modules())
    assert {"pool3", "pool4", "conv5_3", "conv6"} <= set(names)
    assert isinstance(names["pool4"], nn.Identity)


def test_a_failed_download_and_two_sources_are_explained(monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models.VGG16_Weights, "get_state_dict", no_network)
    with torch.device("meta"):
        with pytest.raises(CheckpointError, match=r"torchvision's vgg16 could not be downloaded.*weights=PATH"):
            VGG16GAP(pretrained=True)
        with pytest.raises(ConfigError, match=r"either pretrained=True or weights='a.pth' for VGG16GAP"):
            VGG16GAP(pretrained=True, weights="a.pth")
