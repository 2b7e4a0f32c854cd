"""The report, and the numbers that are printed in it."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["CCNN"]

CCNN = Method(
    name="CCNN",
    title="Compensated Convolutional Neural Network for Object Localization and Semantic Segmentation",
    authors="Xiaoqin Wang",
    venue="arXiv report",
    year=2022,
    summary="A second last stage, gated so that minor responses gain, is concatenated with stages 3 and 4 of a ResNet.",
    configs=(
        "ccnn_resnet50_cub",
        "ccnn_resnet50_ilsvrc",
        "ccnn_resnet50_voc",
        "ccnn_mobilenetv2_birds50",
        "ccnn_mobilenetv2_voc",
        "ccnn_cam_birds50",
    ),
    card=Path(__file__).with_name("card.md"),
    reported={
        "CUB ResNet50 class-agnostic boxes GT-known, supervised weights": 91.22,
        "CUB ResNet50 class-agnostic boxes GT-known, MoCo v2 weights": 90.59,
        "CUB ResNet50 class-agnostic boxes GT-known of C2AM, supervised weights": 90.11,
        "CUB ResNet50 class-agnostic boxes GT-known of C2AM, MoCo v2 weights": 88.18,
        "CUB PSOL DenseNet161/EfficientNet-B7 top-1 loc, supervised weights": 83.70,
        "CUB PSOL DenseNet161/EfficientNet-B7 top-5 loc, supervised weights": 93.30,
        "CUB PSOL DenseNet161/EfficientNet-B7 GT-known, supervised weights": 95.18,
        "CUB PSOL DenseNet161/EfficientNet-B7 mean BoxAcc at IoU 30, 50, 70, supervised weights": 85.76,
        "CUB PSOL DenseNet161/EfficientNet-B7 top-1 loc, MoCo v2 weights": 83.19,
        "CUB PSOL DenseNet161/EfficientNet-B7 top-5 loc, MoCo v2 weights": 92.78,
        "CUB PSOL DenseNet161/EfficientNet-B7 GT-known, MoCo v2 weights": 94.59,
        "CUB PSOL DenseNet161/EfficientNet-B7 mean BoxAcc at IoU 30, 50, 70, MoCo v2 weights": 85.68,
        "CUB PSOL DenseNet161/EfficientNet-B7 top-1 loc of C2AM, supervised weights": 82.65,
        "CUB PSOL DenseNet161/EfficientNet-B7 top-5 loc of C2AM, supervised weights": 92.16,
        "CUB PSOL DenseNet161/EfficientNet-B7 GT-known of C2AM, supervised weights": 94.03,
        "CUB PSOL DenseNet161/EfficientNet-B7 mean BoxAcc at IoU 30, 50, 70 of C2AM, supervised weights": 83.91,
        "CUB PSOL DenseNet161/EfficientNet-B7 top-1 loc of C2AM, MoCo v2 weights": 81.89,
        "CUB PSOL DenseNet161/EfficientNet-B7 top-5 loc of C2AM, MoCo v2 weights": 91.17,
        "CUB PSOL DenseNet161/EfficientNet-B7 GT-known of C2AM, MoCo v2 weights": 92.99,
        "CUB PSOL DenseNet161/EfficientNet-B7 mean BoxAcc at IoU 30, 50, 70 of C2AM, MoCo v2 weights": 80.64,
    },
)
