"""A backbone that never changes, for a method of ``wsolkit label`` that learns in a second."""

import torch
from torch import nn

from wsolkit import Backbone
from wsolkit.registry import BACKBONES


@BACKBONES.register_module(force=True)
class StillColours(Backbone):
    """The colours of an image at half its size, mixed in a way that is always the same."""

    def __init__(self, weights: str | None = None) -> None:
        super().__init__()
        self.channels, self.strides = {"mixed": 6}, {"mixed": 2}
        self.mix = nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(torch.sin(torch.arange(162.0)).view(6, 3, 3, 3) / 3)

    def forward(self, images):
        return {"mixed": self.mix(images).relu()}
