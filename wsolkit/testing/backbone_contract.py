"""The contract of backbones."""

from __future__ import annotations

from typing import Any

import torch

from wsolkit.errors import ConfigError
from wsolkit.interfaces import Backbone
from wsolkit.testing.promises import built, finite, promised

__all__ = ["check_backbone"]


def check_backbone(part: type[Backbone], side: int = 64, **settings: Any) -> None:
    """Check that a backbone gives the levels it names, of the channels and strides it names, and can be trained.

    One that can be run in parts is run to each level and on, which has to give the same.

    Args:
        part: the class.
        side: pixels of the square images that it is given.
        settings: arguments of its own.

    Raises:
        AssertionError: it does not.
    """
    backbone = built(part, settings).eval()
    images = torch.randn(2, 3, side, side)
    levels = backbone(images)
    named = list(backbone.channels)
    promised(part, list(levels) == named, f"gives its levels {named} in this order", list(levels))
    promised(part, list(backbone.strides) == named, f"names a stride for each of {named}", list(backbone.strides))
    for name, level in levels.items():
        shape = tuple(level.shape)
        promised(part, len(shape) == 4 and shape[0] == 2, f"gives {name} as maps (2, C, h, w)", shape)
        channels = backbone.channels[name]
        promised(part, shape[1] == channels, f"has {channels} channels at {name}", shape[1])
        finite(part, f"maps at {name}", level)
        cells = side / backbone.strides[name]
        promised(
            part, all(abs(each - cells) <= 1 for each in shape[2:]), f"has about {cells} cells at {name}", shape[2:]
        )
    alone = backbone(images[:1])
    for name, level in levels.items():
        apart = float((alone[name] - level[:1]).detach().abs().max())
        scale = max(float(level.detach().abs().max()), 1.0)
        promised(part, apart <= 1e-4 * scale, f"gives {name} of an image alone as in a batch", f"{apart:.2g} apart")
    deepest = levels[named[-1]]
    deepest.square().mean().backward()
    reached = any(weight.grad is not None and bool(weight.grad.any()) for weight in backbone.parameters())
    promised(part, reached, "hands gradients on to its weights", "none")
    check_parts(part, backbone, images)


@torch.no_grad()
def check_parts(part: type[Backbone], backbone: Backbone, images: torch.Tensor) -> None:
    """Check that a backbone gives the same in parts as in one piece, where it can be run in parts."""
    whole = backbone(images)
    for level in whole:
        try:
            first = backbone.run_to(level, images)
            found = {**first, **backbone.run_from(level, first[level], first)}
        except ConfigError:  # it says that it cannot
            continue
        for name in list(whole)[list(whole).index(level) :]:
            apart = float((found[name] - whole[name]).abs().max())
            promised(
                part, apart <= 1e-4, f"gives {name} in parts, cut at {level}, as in one piece", f"{apart:.2g} apart"
            )
