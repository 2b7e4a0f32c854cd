"""The paper, and the numbers that are printed for it."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["WILDCAT"]

WILDCAT = Method(
    name="WILDCAT",
    title="WILDCAT: Weakly Supervised Learning of Deep ConvNets for Image Classification, Pointwise Localization and "
    "Segmentation",
    authors="Thibaut Durand, Taylor Mordan, Nicolas Thome, Matthieu Cord",
    venue="CVPR",
    year=2017,
    summary="Several maps per class, and a score from their strongest and weakest cells.",
    configs=("wildcat_resnet101_voc", "wildcat_resnet101_voc07", "wildcat_mobilenetv2_voc"),
    card=Path(__file__).with_name("card.md"),
    reported={
        "VOC07 ResNet101 classification mAP": 95.0,
        "VOC12 ResNet101 pointwise localization mAP, quoted by the ex-CAM dissertation": 82.9,
    },
)
