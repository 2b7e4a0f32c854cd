"""The networks that the papers name, each as it is, for one training step of a class activation map on small images."""

import pytest
import torch

from wsolkit.model.localizer import Localizer

CLASSES = 3
TIMM = "TimmBackbone"
NETWORKS = {
    "VGG16-GAP": ({"type": "VGG16GAP"}, 32, (2, 2)),
    "InceptionV3": ({"type": "InceptionV3"}, 96, (6, 6)),
    "AlexNet": ({"type": "AlexNet", "level": "conv5"}, 64, (3, 3)),
    "ResNet-50": ({"type": TIMM, "name": "resnet50", "levels": ["layer4"], "output_stride": 16}, 32, (2, 2)),
    "ResNet-101": ({"type": TIMM, "name": "resnet101", "levels": ["layer4"], "output_stride": 16}, 32, (2, 2)),
    "DenseNet-161": ({"type": TIMM, "name": "densenet161", "levels": ["features.norm5"]}, 64, (2, 2)),
    "EfficientNet-B7": (
        {"type": TIMM, "name": "efficientnet_b7", "levels": ["final"], "output_stride": 16},
        32,
        (2, 2),
    ),
    "ConvNeXt-T": ({"type": TIMM, "name": "convnext_tiny", "levels": ["stages.3"], "output_stride": 16}, 32, (2, 2)),
    "DeiT-S": ({"type": TIMM, "name": "deit_small_patch16_224"}, 32, (2, 2)),
    "DINOv2 S/14": ({"type": TIMM, "name": "vit_small_patch14_reg4_dinov2.lvd142m"}, 28, (2, 2)),
}
"""Their configurations, the sides of the images, and the cells of the map."""


@pytest.mark.parametrize(("config", "side", "cells"), NETWORKS.values(), ids=NETWORKS)
def test_a_network_of_the_papers_trains_for_a_step(config, side, cells):
    torch.manual_seed(0)
    model = Localizer(
        config, {"type": "LinearHead", "num_classes": CLASSES}, [{"type": "CrossEntropy"}], precision="fp32"
    )
    images = torch.randn(2, 3, side, side)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    activation = model.train().activate(images)
    loss = torch.nn.functional.cross_entropy(activation.logits, torch.tensor([0, 2]))
    loss.backward()
    first = next(weight for weight in model.backbone.parameters() if weight.ndim == 4)
    assert activation.maps.shape == (2, CLASSES, *cells)
    assert torch.isfinite(loss)
    assert first.grad.abs().sum() > 0
    before = first.detach().clone()
    optimizer.step()
    assert not torch.equal(before, first)
