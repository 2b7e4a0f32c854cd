"""The thesis, and the numbers that are printed for it."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["RCAM"]

RCAM = Method(
    name="RCAM",
    title="Revisiting Class Activation Map: Two Stage Method for Weakly Supervised Object Localization",
    authors="Zhenfei Zhang",
    venue="thesis, chapter 5",
    year=2021,
    summary="Pooling by a spatial softmax, maps of absolute weights, and a threshold for each image.",
    configs=("rcam_vgg16_cub", "rcam_mobilenetv2_birds50", "rcam_c2am_birds50"),
    card=Path(__file__).with_name("card.md"),
    reported={
        "CUB VGGnet top-1 classification error": 24.06,
        "CUB VGGnet top-1 loc error": 38.09,
        "CUB VGGnet-CAM top-1 loc error, quoted by the thesis": 66.05,
    },
)
