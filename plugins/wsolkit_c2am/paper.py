"""The paper, and the numbers that are printed for it."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["C2AM"]

C2AM = Method(
    name="C2AM",
    title="C2AM: Contrastive learning of Class-agnostic Activation Map for Weakly Supervised Object Localization and "
    "Semantic Segmentation",
    authors="Jinheng Xie, Jianfeng Xiang, Junliang Chen, Xianxu Hou, Xiaodong Zhao, Linlin Shen",
    venue="CVPR",
    year=2022,
    summary="Foregrounds of different images attract one another and repel all backgrounds: a map without any label.",
    configs=(
        "c2am_resnet50_cub",
        "c2am_resnet50_cub_moco",
        "c2am_resnet50_cub_reference",
        "c2am_resnet50_ilsvrc",
        "c2am_resnet50_voc",
        "c2am_mobilenetv2_birds50",
        "c2am_mobilenetv2_voc",
        "c2am_vit_birds50",
        "c2am_folder",
    ),
    card=Path(__file__).with_name("card.md"),
    reported={
        "CUB ResNet50 class-agnostic boxes GT-known, supervised weights, quoted by the CCNN report": 90.11,
        "CUB ResNet50 class-agnostic boxes GT-known, MoCo v2 weights, quoted by the CCNN report": 88.18,
        "CUB PSOL ResNet50/ResNet50 top-1 loc, supervised weights, README of the code": 76.36,
        "CUB PSOL ResNet50/ResNet50 top-5 loc, supervised weights, README of the code": 89.15,
        "CUB PSOL ResNet50/ResNet50 GT-known, supervised weights, README of the code": 93.40,
        "ILSVRC PSOL ResNet50/ResNet50 top-1 loc, supervised weights, README of the code": 54.41,
        "ILSVRC PSOL ResNet50/ResNet50 top-5 loc, supervised weights, README of the code": 64.77,
        "ILSVRC PSOL ResNet50/ResNet50 GT-known, supervised weights, README of the code": 67.80,
    },
)
