"""A small network in eval mode whose weights, norms and statistics are all drawn, so that no block is idle."""

import torch
from torch import nn

from wsolkit.model.localizer import Localizer

__all__ = ["LogitsOf", "random_network"]


def random_network(head=None, name="resnet10t", classes=4, **options):
    """Return a localizer in float32; ``head`` and ``options`` go to it, ``levels`` to its backbone."""
    torch.manual_seed(0)
    backbone = {"type": "TimmBackbone", "name": name}
    if "levels" in options:
        backbone["levels"] = options.pop("levels")
    model = Localizer(
        backbone=backbone,
        head={"type": "LinearHead", "num_classes": classes, **(head or {})},
        precision="fp32",
        **options,
    )
    for norm in model.backbone.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, std=0.2)
            nn.init.normal_(norm.running_mean, std=0.2)
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
    for weight in model.head.parameters():
        nn.init.normal_(weight, std=0.3)
    return model.eval()


class LogitsOf(nn.Module):
    """A model as other libraries take one: from images to logits."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model.activate(images).logits
