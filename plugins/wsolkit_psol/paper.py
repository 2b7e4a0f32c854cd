"""The papers, and the numbers that are printed for them."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["DDT", "METHODS", "PSOL"]

CARD = Path(__file__).with_name("card.md")

PSOL = Method(
    name="PSOL",
    title="Rethinking the Route Towards Weakly Supervised Object Localization",
    authors="Chen-Lin Zhang, Yun-Hao Cao, Jianxin Wu",
    venue="CVPR",
    year=2020,
    summary="Pseudo boxes train a class-agnostic box regressor; a separate classifier names what is in the box.",
    configs=(
        "psol_synthetic",
        "psol_maps",
        "psol_regressor_synthetic",
        "psol_regressor_mobilenetv2_birds50",
        "psol_resnet50_cub",
        "psol_resnet50_cub_reference",
        "psol_densenet161_cub",
        "psol_densenet161_ilsvrc",
        "psol_classifier_efficientnetb7_cub",
        "psol_classifier_efficientnetb7_ilsvrc",
    ),
    card=CARD,
    reported={
        "CUB ResNet50/ResNet50 top-1 loc, printed by the authors of C2AM": 70.68,
        "CUB ResNet50/ResNet50 top-5 loc, printed by the authors of C2AM": 86.64,
        "CUB ResNet50/ResNet50 GT-known, printed by the authors of C2AM": 90.00,
        "ILSVRC ResNet50/ResNet50 top-1 loc, printed by the authors of C2AM": 53.98,
        "ILSVRC ResNet50/ResNet50 top-5 loc, printed by the authors of C2AM": 63.08,
        "ILSVRC ResNet50/ResNet50 GT-known, printed by the authors of C2AM": 65.44,
        "CUB VGG16 top-1 loc": 66.3,
        "CUB VGG16 top-5 loc": 84.1,
        "ILSVRC VGG16 top-1 loc": 50.9,
        "ILSVRC VGG16 top-5 loc": 60.9,
        "ILSVRC VGG16 GT-known": 64.0,
        "ILSVRC InceptionV3 top-1 loc": 54.8,
        "ILSVRC InceptionV3 top-5 loc": 63.3,
        "ILSVRC InceptionV3 GT-known": 65.2,
    },
)

DDT = Method(
    name="DDT",
    title="Unsupervised Object Discovery and Co-Localization by Deep Descriptor Transforming",
    authors="Xiu-Shen Wei, Chen-Lin Zhang, Jianxin Wu, Chunhua Shen, Zhi-Hua Zhou",
    venue="Pattern Recognition",
    year=2019,
    summary="The first principal component of the descriptors of a class's images tells its object from background.",
    configs=("psol_ddt", "psol_ddt_features_vgg16_cub"),
    card=CARD,
)

METHODS = (PSOL, DDT)
