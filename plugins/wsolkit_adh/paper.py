"""The thesis, and the numbers that are printed for it."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["ADH"]

ADH = Method(
    name="ADH",
    title="Attention-based Dual Hiding Method for Weakly Supervised Object Localization",
    authors="Zhenfei Zhang, Tien D. Bui",
    venue="chapter 4 of Zhang's thesis",
    year=2021,
    summary="Hides the peak of the features and areas around the pixels one expects in the best channel and in all.",
    configs=(
        "adh_vgg16_cub",
        "adh_vgg16_ilsvrc",
        "adh_resnet50_cub",
        "adh_resnet50_ilsvrc",
        "adh_mobilenetv2_birds50",
    ),
    card=Path(__file__).with_name("card.md"),
    reported={
        "CUB VGGnet top-1 classification error": 26.46,
        "CUB VGGnet top-1 loc error": 43.16,
        "CUB VGGnet GT-known loc error": 25.23,
        "CUB ResNet50 top-1 classification error": 25.17,
        "CUB ResNet50 top-1 loc error": 44.47,
        "ILSVRC VGGnet top-1 classification error": 31.47,
        "ILSVRC VGGnet top-1 loc error": 53.15,
        "ILSVRC ResNet50 top-1 classification error": 22.07,
        "ILSVRC ResNet50 top-1 loc error": 51.84,
    },
)
