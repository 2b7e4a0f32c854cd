"""The contract of CAM methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from wsolkit.errors import HeadError
from wsolkit.interfaces import CamMethod
from wsolkit.model.localizer import Localizer
from wsolkit.registry import HEADS
from wsolkit.testing.promises import NAMES, built, finite, promised, takes

__all__ = ["check_cam_method"]

BACKBONE = {"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"]}


def check_cam_method(part: type[CamMethod], head: Mapping[str, Any] | None = None, **settings: Any) -> None:
    """Check that a CAM method answers in [0, 1] at the size of the input, of several classes as of each.

    It is tried on a small network with a LinearHead; where it needs another head and says so, on that.

    Args:
        part: the class.
        head: the configuration of the head that it needs, where it does not say so itself.
        settings: arguments of its own.

    Raises:
        AssertionError: it does not.
        WsolkitError: it refuses the model.
    """
    torch.manual_seed(0)
    model = localizer(head or {"type": "LinearHead"})
    images, classes = torch.randn(2, 3, 64, 96), torch.tensor([1, 2])
    method = built(part, settings)
    try:
        maps = method(model, images, classes).detach()
    except HeadError as error:
        if head is not None or not error.heads:
            raise
        model = localizer(error.heads[0])
        maps = method(model, images, classes).detach()
    promised(part, maps.shape == (2, 64, 96), "gives maps (2, 64, 96) of images that large", tuple(maps.shape))
    finite(part, "maps", maps)
    lowest, highest = float(maps.min()), float(maps.max())
    within = lowest == 0 if method.normalize == "minmax" else lowest >= 0
    promised(part, within, "gives maps from 0 on", lowest)
    # nothing at all may be found, as where no cell stands out
    promised(part, highest == 1 or not maps.any(), "gives maps up to 1", highest)
    both = method(model, images, torch.tensor([[1, 0], [2, 2]])).detach()
    promised(part, both.shape == (2, 2, 64, 96), "gives maps (2, 2, 64, 96) of two classes of each", tuple(both.shape))
    apart = float((both[:, 0] - maps).abs().max())
    promised(part, apart <= 2e-4, "gives the same map of a class beside another as alone", f"{apart:.2g} apart")


def localizer(head: Mapping[str, Any]) -> Localizer:
    """Return a small network in which every class speaks for what it sees.

    Methods that cut negative votes off have some left then.
    """
    facts = {"num_classes": len(NAMES), "class_names": list(NAMES)}
    told = {name: fact for name, fact in facts.items() if takes(HEADS.get(head["type"]), name)}
    model = Localizer(backbone=dict(BACKBONE), head={**told, **head}, precision="fp32").eval()
    if head["type"] == "LinearHead":
        for weight in model.head.parameters():
            weight.data.abs_()
    return model
