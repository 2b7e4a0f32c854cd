"""The thesis, and the numbers that are printed for it."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["ASS"]

ASS = Method(
    name="ASS",
    title="Attention-based Selection Strategy for Weakly Supervised Object Localization",
    authors="Zhenfei Zhang, Tien D. Bui",
    venue="ICPR; chapter 3 of Zhang's thesis",
    year=2020,
    summary="Hides the peak of the features in images that need it, and the background where there is clutter.",
    configs=("ass_vgg16_cub", "ass_vgg16_ilsvrc", "ass_mobilenetv2_birds50", "ass_wildcat_voc"),
    card=Path(__file__).with_name("card.md"),
    reported={
        "CUB VGGnet-GAP top-1 classification error": 25.51,
        "CUB VGGnet-GAP top-1 loc error": 45.45,
        "ILSVRC VGGnet-GAP top-1 classification error": 30.59,
        "ILSVRC VGGnet-GAP top-1 loc error": 53.76,
    },
)
