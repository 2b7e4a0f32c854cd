"""The dissertation, and the numbers that are printed in it."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["EXCAM"]

EXCAM = Method(
    name="ex-CAM",
    title="Expanding CAM in Weakly Supervised Object Localization",
    authors="Rahul Kushwaha",
    venue="Dissertation, Indian Statistical Institute, Kolkata",
    year=2022,
    summary="Each map of a class loses the cells in which an earlier one found the object.",
    configs=(
        "excam_resnet101_voc12",
        "excam_resnet101_voc07",
        "excam_mobilenetv2_voc",
        "excam_exclusive_mobilenetv2_voc",
        "excam_adl_mobilenetv2_voc",
        "excam_acol_mobilenetv2_voc",
    ),
    card=Path(__file__).with_name("card.md"),
    reported={
        "VOC12 ResNet101 detection AP as printed": 0.70,
        "VOC12 ResNet101 detection AP as the printed classes average": 0.658,
        "VOC07 ResNet101 detection AP": 0.69,
        "VOC12 ResNet101 pointwise localization mAP": 0.85,
        "VOC12 ResNet101 detection AP of WILDCAT": 0.53,
        "VOC07 ResNet101 detection AP of WILDCAT": 0.27,
    },
)
