"""What the compatibility matrix has to know of our parts, beside what ``wsolkit.testing`` asks them itself."""

from typing import Any

from wsolkit.testing import PartTables

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

SIDES: dict[str, int] = {"VGG16GAP": 48, "AlexNet": 128}
"""Pixels of the images where not 64: VGG16 is slow and has small cells, AlexNet has large ones."""

INSIDE: dict[str, dict[str, str]] = {
    "TimmBackbone": {"cnn": "stages.1", "tokens": "blocks.3", "channels last": "layers.2", "convnext": "stages.2"},
    "VGG16GAP": {"narrow": "pool3"},
    "AlexNet": {"convolutions": "features.5"},
}
"""The module of a backbone that modifiers sit behind, with more than 3 x 3 cells: some hide as many."""

NOT_AT: dict[str, tuple[str, ...]] = {"DualAttention": ("image",)}
"""Where a modifier has more cells than it compares: which images are too large depends on every part beside it."""


def tables() -> PartTables:
    """Return them all."""
    return PartTables(SETTINGS, LEFT_OUT, SIDES, INSIDE, NOT_AT)
