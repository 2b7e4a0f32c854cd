"""Frozen modules and resting norms, also after their norms were exchanged for synchronised ones."""

import pytest
import torch
from timm.layers import BatchNormAct2d, convert_sync_batchnorm
from torch import nn

from wsolkit import ConfigError
from wsolkit.components.backbones.timm_backbone import TimmBackbone
from wsolkit.model.localizer import Localizer
from wsolkit.modules import find_module, freeze_modules, keep_resting
from wsolkit.training.processes import wrapper_config


def modes(model):
    return [module.training for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]


def test_modules_are_frozen_by_name_and_rest():
    backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1)))
    names = freeze_modules(backbone, ["1"])
    assert names == ["1"]
    assert [parameter.requires_grad for parameter in backbone.parameters()] == [True, True, False, False, False, False]
    backbone.train()
    keep_resting(backbone, names)
    assert (backbone[0].training, backbone[1].training, backbone[1][0].training) == (True, False, False)
    with pytest.raises(ConfigError, match="has no module '2'"):
        freeze_modules(backbone, ["2"])


def test_norms_stay_fixed_after_they_were_synchronised():
    model = Localizer(
        backbone={"type": "TimmBackbone", "name": "mobilenetv2_035", "levels": ["final"]},
        head={"type": "LinearHead", "num_classes": 2},
        freeze=["bn1"],
        norm_eval=["model"],
    )
    converted = convert_sync_batchnorm(model).train()
    assert not any(modes(converted.backbone))
    assert any(isinstance(module, nn.SyncBatchNorm) for module in converted.modules())


def test_timm_s_norms_keep_their_activation_when_they_are_synchronised():
    torch.manual_seed(0)
    backbone = TimmBackbone("mobilenetv2_035", levels=["final"]).eval()
    images = torch.randn(1, 3, 64, 64)
    before = backbone(images)["final"]
    assert any(isinstance(module, BatchNormAct2d) for module in backbone.modules())
    torch.testing.assert_close(convert_sync_batchnorm(backbone).eval()(images)["final"], before)


def test_sync_bn_without_a_gpu_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert wrapper_config(False)["type"] == "wsolkit.OrderedDataParallel"
    with pytest.raises(ConfigError, match=r"sync_bn='torch' needs GPUs: .* Set sync_bn=None"):
        wrapper_config(False, "torch")
    with pytest.raises(ConfigError, match="sync_bn should be 'torch' or None, but got 'mmcv'"):
        wrapper_config(False, "mmcv")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert wrapper_config(False, "torch")["type"] == "wsolkit.SyncNormDataParallel"


def test_a_name_like_none_is_answered_with_the_upper_ones_and_how_to_see_all():
    """Of a network with many modules the first ones in the alphabet would tell nothing."""
    stage = {"conv": nn.ReLU(), "norm": nn.ReLU()}
    stages = nn.Sequential(*(nn.Sequential(nn.ModuleDict(stage), nn.ModuleDict(stage)) for _ in range(12)))
    network = nn.ModuleDict({"stem": nn.ReLU(), "blocks": stages, "norm": nn.ReLU()})
    with pytest.raises(ConfigError) as caught:
        find_module(nn.ModuleDict({"model": network}), "layer3")
    assert str(caught.value) == (
        "ModuleDict has no module 'layer3'. The upper names: 'model', 'stem', 'blocks', 'blocks.0' to 'blocks.11', "
        "'norm'. All: wsolkit show CONFIG --modules."
    )
