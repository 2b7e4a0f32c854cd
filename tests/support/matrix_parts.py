"""The parts that the compatibility matrix combines: everything that is registered, built from its defaults."""

import inspect
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import torch

from wsolkit import (
    ActivationHead,
    Backbone,
    BatchTransform,
    BoxExtractor,
    CamMethod,
    Loss,
    MapModifier,
    Pooling,
    WsolkitError,
)
from wsolkit.model.attach import attach_modifier
from wsolkit.plugins.loading import load_plugins
from wsolkit.registry import BACKBONES, HEADS

CLASSES = 4  # not 3: class maps would look like images
NAMES = ["barn owl", "house wren", "snowy owl", "marsh wren"]

SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "TimmBackbone": {
        "cnn": {"name": "test_byobnet"},
        "tokens": {"name": "test_vit", "levels": ["blocks.0.attention", "blocks.5.attention", "final"]},
        "channels last": {
            "name": "swin_tiny_patch4_window7_224",
            "embed_dim": 16,
            "depths": (1, 1, 1, 1),
            "num_heads": (1, 1, 2, 2),
        },
        "convnext": {"name": "test_convnext"},
    },
    "CCNNBackbone": {"resnet": {"name": "test_resnet"}},
    "VGG16GAP": {"narrow": {"extra_channels": 16}},
    "AlexNet": {"convolutions": {"level": "features"}},
    "CAMHead": {"linear": {}, "conv": {"form": "conv"}},
    "ConvHead": {"": {}, "3 maps per class": {"maps_per_class": 3}},
    "TwoBranchHead": {"narrow": {"hidden": 16}},
    "ACoLHead": {"narrow": {"hidden": [16]}},
    "SPGHead": {"narrow": {"width": 16, "last_width": 16}},
    "DivergentHead": {"narrow": {"hidden": [8], "maps_per_class": 3}},
    "PixelDecoder": {"narrow": {"width": 8}},
    "CoAug": {"small": {"embedding": {"type": "TimmBackbone", "name": "test_resnet"}}},
    "InsideForeground": {"": {"classes": {"type": "ConvHead"}, "foreground": {"type": "C2AMHead"}}},
    "ScoreCAM": {"": {"channels": 2}},
    "SmoothGradCAMPlusPlus": {"": {"samples": 1}},
    "EraseFound": {"": {"checkpoint": "FIRST"}},
    "AverageWithFirst": {"": {"checkpoint": "FIRST"}},
    "TokenCutMaps": {"": {}, "soft": {"soft": True, "center": True}},
}
"""Parts that cannot be built from their defaults, or that do different things by a setting: what is given instead.

timm's models need a name; the smallest of each family is taken. VGG16GAP, AlexNet, CoAug and the heads of
several convolutions are made small to save time. CAMHead and ConvHead make their maps in two ways each. EraseFound and
AverageWithFirst need the checkpoint of a trained model, which stands in the place of FIRST.
"""

LEFT_OUT: dict[str, str] = {
    "ObjectConsistency": "teaches features alone and no head; it stands beside a classification loss",
    "PytorchGradCAM": "of a library that need not be installed",
    "TorchCAM": "of a library that need not be installed",
    "BoxPixelLoss": "trains on boxes, which no batch of the matrix has; tests/plugins/test_wsolkit_fsl.py combines it",
    "ForegroundHead": "learns from boxes alone; tests/plugins/test_wsolkit_fsl.py combines it",
    "FeatureHead": "nothing in it is trained",
}
"""Parts that no combination holds, and why."""

SIDES = {"VGG16GAP": 48, "AlexNet": 128}
"""Pixels of the images where not 64: VGG16 is slow and has small cells, AlexNet has large ones."""

INSIDE = {
    "TimmBackbone": {"cnn": "stages.1", "tokens": "blocks.3", "channels last": "layers.2", "convnext": "stages.2"},
    "VGG16GAP": {"narrow": "pool3"},
    "AlexNet": {"convolutions": "features.5"},
}
"""The module of a backbone that modifiers sit behind, with more than 3 x 3 cells: some hide as many."""

PLAIN = ("LinearHead", "AveragePooling", "CrossEntropy", "HeadMaps", "LargestComponent")
"""What comes first among its kind, and so fills up combinations that leave the choice."""

PLACES = ("image", "inside", "maps")
"""Where a modifier may sit: on the images, behind a module of the backbone, on the head's maps."""

NOT_AT = {"DualAttention": ("image",)}
"""Where a modifier has more cells than it compares: which images are too large depends on every part beside it."""


@dataclass(frozen=True, order=True)
class Part:
    """One choice for one place in a model.

    Attributes:
        axis: what it is: backbone, head, modifier, loss, labels, CAM method, box extractor or batch transform.
        name: the name of its class; empty for no modifier and no batch transform.
        label: what tells it from others of that class.
        config: its configuration, without the backbone's.
        cost: cheaper ones are preferred where any will do.
    """

    axis: str
    name: str
    label: str = ""
    config: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)
    cost: float = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.name or 'no ' + self.axis}{f' ({self.label})' if self.label else ''}"


def components(interface: type) -> list[type]:
    """Return the registered classes of an interface, the plain one first."""
    found = {component.cls for component in load_plugins().components.values() if issubclass(component.cls, interface)}
    kept = [cls for cls in found if cls.__name__ not in LEFT_OUT]
    return sorted(kept, key=lambda cls: (cls.__name__ not in PLAIN, cls.__name__))


def settings(cls: type) -> dict[str, dict[str, Any]]:
    """Return what a class is built with, by label."""
    return SETTINGS.get(cls.__name__, {"": {}})


@cache
def backbone(part: Part) -> Backbone:
    """Build a backbone once; it is copied for each combination."""
    torch.manual_seed(0)
    return BACKBONES.build({"type": part.name, **settings(BACKBONES.get(part.name))[part.label]})


@cache
def place_inside(part: Part) -> str:
    """Return the module that modifiers sit behind: that of ``INSIDE``, or the deepest one that gives maps."""
    if part.name in INSIDE:
        return INSIDE[part.name][part.label]
    modules = [(name, module) for name, module in backbone(part).named_modules() if name]
    order = {name: number for number, (name, _) in enumerate(modules)}
    leaf = {name: not any(module.children()) for name, module in modules}
    for name in sorted(order, key=lambda name: (leaf[name], name.count("."), -order[name])):
        try:
            attach_modifier(deepcopy(backbone(part)), name, {"type": "SpatialDropout"})
        except WsolkitError:
            continue
        return name
    raise AssertionError(f"A modifier can sit nowhere in {part}.")


def side(part: Part) -> int:
    """Return the pixels of the images a backbone is given."""
    return SIDES.get(part.name, 64)


def backbones() -> list[Part]:
    """Return a small backbone of every family, small ones first."""
    parts = [
        Part("backbone", cls.__name__, label, cost=slowness(cls, given))
        for cls in components(Backbone)
        for label, given in settings(cls).items()
    ]
    return sorted(parts, key=lambda part: (part.cost, part.name, part.label))


def slowness(cls: type, given: Mapping[str, Any]) -> float:
    """Return the millions of parameters of a backbone."""
    return sum(weight.numel() for weight in cls(**given).parameters()) / 1e6


def heads() -> list[Part]:
    """Return every head."""
    parts = []
    for cls in components(ActivationHead):
        told = {"num_classes": CLASSES, "class_names": NAMES}
        classes = {fact: value for fact, value in told.items() if fact in inspect.signature(cls).parameters}
        for label, given in settings(cls).items():
            parts.append(Part("head", cls.__name__, label, {"type": cls.__name__, **classes, **given}))
    return parts


def takes_pooling(head: Part) -> bool:
    """Whether a head can be given a pooling."""
    return "pooling" in inspect.signature(HEADS.get(head.name)).parameters


def modifiers() -> list[Part]:
    """Return no modifier, and every modifier at every place."""
    none = Part("modifier", "")
    return [none] + [
        Part(
            "modifier",
            cls.__name__,
            ", ".join(filter(None, (label, place))),
            {"type": cls.__name__, **given, "at": place},
        )
        for cls in components(MapModifier)
        for label, given in settings(cls).items()
        for place in PLACES
        if place not in NOT_AT.get(cls.__name__, ())
    ]


def others(axis: str, interface: type) -> list[Part]:
    """Return the parts of an interface that the model hands nothing to."""
    return [
        Part(axis, cls.__name__, label, {"type": cls.__name__, **given})
        for cls in components(interface)
        for label, given in settings(cls).items()
    ]


def batch_transforms() -> list[Part]:
    """Return every batch transform, told the number of classes where it asks for that."""
    asked = {cls.__name__: inspect.signature(cls).parameters for cls in components(BatchTransform)}
    return [
        Part(
            each.axis,
            each.name,
            each.label,
            {**each.config, **({"num_classes": CLASSES} if "num_classes" in asked[each.name] else {})},
        )
        for each in others("batch transform", BatchTransform)
    ]


def axes() -> list[list[Part]]:
    """Return the choices for each place in a model."""
    return [
        backbones(),
        heads(),
        [*others("pooling", Pooling), Part("pooling", "")],
        modifiers(),
        others("loss", Loss),
        [Part("labels", "labels", "one of each image"), Part("labels", "labels", "several of an image")],
        others("CAM method", CamMethod),
        others("box extractor", BoxExtractor),
        [Part("batch transform", ""), *batch_transforms()],
    ]


def meaningless(choices: list[list[Part]]) -> set[frozenset[Part]]:
    """Return the pairs that cannot be written down: a head without a pooling, or with one it does not take."""
    return {
        frozenset((head, pooling))
        for head, pooling in product(choices[1], choices[2])
        if takes_pooling(head) != bool(pooling.name)
    }


def with_checkpoint(config: Mapping[str, Any], first: Path) -> dict[str, Any]:
    """Return a configuration with the path of a trained model where it needs one."""
    return {key: str(first) if value == "FIRST" else value for key, value in config.items()}
