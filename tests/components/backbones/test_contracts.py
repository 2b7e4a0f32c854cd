"""What every backbone promises, whoever wrote it: add a row to BACKBONES to hold another one to it."""

import copy

import pytest
import torch

from wsolkit.components.backbones.inception import InceptionV3
from wsolkit.components.backbones.timm_backbone import TimmBackbone
from wsolkit.components.backbones.vgg_gap import VGG16GAP
from wsolkit.interfaces import Backbone

BACKBONES = {
    "timm resnet18": lambda: TimmBackbone("resnet18", output_stride=8),
    "timm mobilenetv2": lambda: TimmBackbone("mobilenetv2_050"),
    "timm vit": lambda: TimmBackbone("vit_tiny_patch16_224", depth=2, levels=["blocks.0", "blocks.1", "final"]),
    "timm swin": lambda: TimmBackbone(
        "swin_tiny_patch4_window7_224", embed_dim=16, depths=(1, 1, 1), num_heads=(2, 2, 2)
    ),
    "VGG16GAP": lambda: VGG16GAP(extra_channels=16),
    "VGG16GAP large": lambda: VGG16GAP(extra_channels=0, large_feature_map=True),
    "InceptionV3": lambda: InceptionV3(extra_channels=16),
}


@pytest.fixture(scope="module", params=BACKBONES.values(), ids=BACKBONES.keys())
def backbone(request):
    torch.manual_seed(0)
    return request.param().eval()


def check_backbone(backbone: Backbone, size: tuple[int, int] = (96, 128)) -> None:
    """Hold a backbone to what the interface promises."""
    height, width = size
    with torch.no_grad():
        levels = backbone(torch.rand(2, 3, height, width))
    assert isinstance(backbone, Backbone)
    assert list(levels) == list(backbone.channels) == list(backbone.strides)
    strides = list(backbone.strides.values())
    assert strides == sorted(strides)
    for name, maps in levels.items():
        assert maps.shape[:2] == (2, backbone.channels[name])
        for cells, pixels in zip(maps.shape[2:], size, strict=True):
            assert cells == -(-pixels // backbone.strides[name])
        assert maps.isfinite().all()


def test_levels_agree_with_channels_and_strides(backbone):
    check_backbone(backbone)


@torch.no_grad()
def test_an_image_does_not_depend_on_its_batch_in_eval_mode(backbone):
    images = torch.rand(2, 3, 64, 64)
    together = backbone(images)
    alone = backbone(images[1:])
    for name in together:
        largest = together[name].abs().max()
        assert (alone[name] - together[name][1:]).abs().max() <= 1e-4 * largest


@torch.no_grad()
def test_state_dict_and_deep_copy_carry_everything(backbone):
    images = torch.rand(1, 3, 64, 64)
    twin = copy.deepcopy(backbone)
    twin.load_state_dict(backbone.state_dict())
    for name, maps in backbone(images).items():
        assert torch.equal(twin(images)[name], maps)


def test_gradients_reach_the_image(backbone):
    images = torch.rand(1, 3, 64, 64, requires_grad=True)
    list(backbone(images).values())[-1].square().mean().backward()
    assert images.grad.abs().sum() > 0
