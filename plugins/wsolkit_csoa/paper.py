"""The paper, and the numbers that are printed for it."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["CSOA"]

CSOA = Method(
    name="CSoA",
    title="Improve CAM with Auto-adapted Segmentation and Co-supervised Augmentation",
    authors="Ziyi Kou, Guofeng Cui, Shaojie Wang, Wentian Zhao, Chenliang Xu",
    venue="WACV",
    year=2021,
    summary="A second branch follows the first where it is sure; masked images of a batch are compared in pairs.",
    configs=(
        "csoa_vgg16_cub",
        "csoa_inceptionv3_cub",
        "csoa_inceptionv3_ilsvrc",
        "csoa_mobilenetv2_birds50",
        "csoa_confseg_mobilenetv2_birds50",
        "csoa_coaug_mobilenetv2_birds50",
        "csoa_baseline_mobilenetv2_birds50",
        "csoa_vit_birds50",
    ),
    card=Path(__file__).with_name("card.md"),
    reported={
        "CUB VGGnet baseline top-1 loc error": 53.42,
        "CUB VGGnet baseline top-5 loc error": 45.85,
        "CUB VGGnet baseline top-1 classification error": 24.73,
        "CUB VGGnet baseline top-5 classification error": 8.96,
        "CUB VGGnet ConfSeg top-1 loc error": 39.02,
        "CUB VGGnet ConfSeg top-5 loc error": 27.17,
        "CUB VGGnet ConfSeg top-1 classification error": 23.14,
        "CUB VGGnet ConfSeg top-5 classification error": 6.94,
        "CUB VGGnet CoAug top-1 loc error": 40.78,
        "CUB VGGnet CoAug top-5 loc error": 29.36,
        "CUB VGGnet CoAug top-1 classification error": 23.06,
        "CUB VGGnet CoAug top-5 classification error": 6.77,
        "CUB VGGnet CSoA top-1 loc error": 37.69,
        "CUB VGGnet CSoA top-5 loc error": 26.49,
        "CUB VGGnet CSoA top-1 classification error": 21.41,
        "CUB VGGnet CSoA top-5 classification error": 5.94,
        "CUB GoogLeNet CSoA top-1 loc error": 46.06,
        "CUB GoogLeNet CSoA top-5 loc error": 34.36,
        "CUB GoogLeNet CSoA top-1 classification error": 23.9,
        "CUB GoogLeNet CSoA top-5 classification error": 6.4,
        "ILSVRC GoogLeNet CSoA top-1 loc error": 48.81,
        "ILSVRC GoogLeNet CSoA top-5 loc error": 37.46,
        "ILSVRC GoogLeNet CSoA top-1 classification error": 28.1,
        "ILSVRC GoogLeNet CSoA top-5 classification error": 9.8,
        "ILSVRC GoogLeNet CSoA GT-known loc error": 33.80,
    },
)
