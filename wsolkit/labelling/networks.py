"""Networks that timm and torchvision both have: which library wrote a file, and its tensors under timm's names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor, nn
from torchvision import models

from wsolkit.errors import CheckpointError, ConfigError, nearest
from wsolkit.model.preprocess import IMAGENET
from wsolkit.weights.checkpoint import listed
from wsolkit.weights.fitting import choose_prefix

__all__ = ["FITTING", "Network", "find_network"]

FITTING = "resnet18, resnext50_32x4d, densenet121, mobilenet_v2 or efficientnet_b0"
"""Networks of both libraries that classify the mean of their last features linearly."""

TWINS = {
    "mobilenet_v2": "mobilenetv2_100",
    "mnasnet0_5": "mnasnet_050",
    "mnasnet0_75": "mnasnet_075",
    "mnasnet1_0": "mnasnet_100",
    "mnasnet1_3": "mnasnet_140",
    "efficientnet_v2_s": "efficientnetv2_s",
    "efficientnet_v2_m": "efficientnetv2_m",
    "efficientnet_v2_l": "efficientnetv2_l",
}
"""timm's names of torchvision's networks that are called otherwise there; their tensors stand in the same order."""


class Network(NamedTuple):
    """The network of a file of weights.

    Attributes:
        name: what it was called.
        timm_name: what timm calls it.
        theirs: whether torchvision's tensors are in the file.
        num_classes: how many classes its last layer tells apart.
        classifier: name of the last layer in timm's network.
        mean: of each channel, which its training subtracted.
        std: of each channel, which its training divided by.
        size: (height, width) of its images.
        backbone: arguments of ``TimmBackbone``.
    """

    name: str
    timm_name: str
    theirs: bool
    num_classes: int
    classifier: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: tuple[int, int]
    backbone: dict[str, Any]

    def build(self) -> nn.Module:
        """Return the classifier itself, as the library that wrote the file builds it, with random weights."""
        if self.theirs:
            return models.get_model(self.name, weights=None, num_classes=self.num_classes).eval()
        return timm.create_model(self.timm_name, num_classes=self.num_classes).eval()

    def renamed(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return tensors of ``build``'s network under timm's names.

        Raises:
            ConfigError: timm's network of that name has other tensors.
        """
        if not self.theirs:
            return dict(state)
        ours = without_numbers(lambda: timm.create_model(self.timm_name, num_classes=self.num_classes))
        same = len(ours) == len(state) and all(
            value.shape == wanted.shape for value, wanted in zip(state.values(), ours.values(), strict=True)
        )
        if not same:
            raise ConfigError(
                f"torchvision's {self.name} and timm's {self.timm_name} are built differently, so its weights cannot "
                f"be taken over. Networks that are the same in both and have class maps: {FITTING}."
            )
        return dict(zip(ours, state.values(), strict=True))


def find_network(name: str, state: Mapping[str, Tensor], source: str | Path) -> Network:
    """Return the network that a state dict belongs to, of the two libraries the one whose names it has.

    Args:
        name: of the network, as timm or torchvision calls it.
        state: names and tensors, behind any prefix.
        source: the file, for messages.

    Raises:
        ConfigError: neither library has such a network, or timm has none like torchvision's.
        CheckpointError: the tensors are not those of the network, or its classifier is not among them.
    """
    timm_name = TWINS.get(name, name)
    if not timm.is_model(timm_name.split(".")[0]):
        if name in models.list_models():
            raise ConfigError(
                f"torchvision's {name} has no twin among timm's networks, which are what is used here. Networks that "
                f"both have: {FITTING}."
            )
        raise ConfigError(f"There is no network {name!r}. {nearest(name, {*timm.list_models(), *TWINS})}")
    lacking: dict[bool, list[str]] = {}
    layouts: dict[bool, tuple[dict[str, Tensor], str]] = {}
    for theirs in (False, True):
        if theirs and name not in models.list_models():
            continue
        ours = without_numbers(lambda: models.get_model(name, weights=None)) if theirs else None
        layout = without_numbers(lambda: timm.create_model(timm_name)) if ours is None else ours
        prefix = choose_prefix(state, layout)
        lacking[theirs] = [key for key in counted(layout) if f"{prefix}{key}" not in state]
        layouts[theirs] = layout, prefix
    theirs = min(lacking, key=lambda each: len(lacking[each]))
    layout, prefix = layouts[theirs]
    if lacking[theirs]:
        raise CheckpointError(
            f"{source} does not hold the weights of {name}: it lacks {listed(lacking[theirs])}. Name the network it "
            "was made with, and give a file that has the classifier as well."
        )
    last = [key for key, value in layout.items() if key.endswith(".weight") and value.ndim == 2][-1:]
    config: Any = timm.create_model(timm_name, num_classes=0).default_cfg
    classifier = config["classifier"]
    if not last or not isinstance(classifier, str) or state[f"{prefix}{last[0]}"].ndim != 2:
        raise ConfigError(f"{name} does not end with one linear layer, so it has no class maps. Take {FITTING}.")
    backbone = {"name": timm_name, **({"bn_eps": norm_eps(name)} if theirs and name.startswith("efficientnet") else {})}
    return Network(
        name=name,
        timm_name=timm_name,
        theirs=theirs,
        num_classes=len(state[f"{prefix}{last[0]}"]),
        classifier=classifier,
        mean=IMAGENET[0] if theirs else tuple(config["mean"]),
        std=IMAGENET[1] if theirs else tuple(config["std"]),
        size=(int(config["input_size"][-2]), int(config["input_size"][-1])),
        backbone=backbone,
    )


def counted(layout: Mapping[str, Tensor]) -> list[str]:
    """Return the names of a state dict that every file has; old ones do not count batches."""
    return [name for name in layout if not name.endswith("num_batches_tracked")]


def without_numbers(build: Any) -> dict[str, Tensor]:
    """Return names and shapes of a network's state dict; no memory is taken and nothing is drawn."""
    with torch.device("meta"):
        return dict(build().state_dict())


def norm_eps(name: str) -> float:
    """Return the epsilon of the batch norms of torchvision's network, which differs among its EfficientNets."""
    with torch.device("meta"):
        modules = models.get_model(name, weights=None).modules()
    return next(float(module.eps) for module in modules if isinstance(module, nn.BatchNorm2d))
