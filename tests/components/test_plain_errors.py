"""Networks that cannot take the size of their images say so in words."""

import pytest
import torch
from timm.layers import create_attn

from wsolkit.components.backbones.plain_errors import plain_size_errors
from wsolkit.components.backbones.timm_backbone import TimmBackbone
from wsolkit.errors import DataError, ShapeError
from wsolkit.model.localizer import Localizer


def test_timm_s_own_checks_of_size_are_told():
    """HaloNet's blocks of 8 cells do not divide a map of 3 x 3."""
    layer = create_attn("halo", 16, num_heads=2)
    images = torch.zeros(1, 3, 96, 90)
    words = r"halonet50ts does not take images of 90 x 96 pixels \(a check of its own"
    with pytest.raises(ShapeError, match=words), plain_size_errors("halonet50ts", images):
        layer(torch.zeros(1, 16, 3, 3))
    with pytest.raises(AssertionError, match="mine"), plain_size_errors("halonet50ts", images):
        raise AssertionError("mine")


def test_a_batch_norm_with_one_value_is_told():
    model = Localizer(
        {"type": "TimmBackbone", "name": "resnet18", "levels": ["final"], "weights": None},
        {"type": "LinearHead", "num_classes": 2},
    ).train()
    with pytest.raises(DataError, match=r"A batch of 1 image\(s\) of 32 x 32 pixels .* resnet18 .*drop_last=True"):
        model.activate(torch.zeros(1, 3, 32, 32))


def test_a_network_that_takes_no_small_image_is_probed_at_its_own_size():
    backbone = TimmBackbone("halonet26t", levels=["final"], weights=None).eval()
    assert backbone.probe_size == (256, 256)
    with torch.no_grad():
        assert backbone(torch.zeros(1, 3, 256, 256))["final"].shape == (1, 2048, 8, 8)
