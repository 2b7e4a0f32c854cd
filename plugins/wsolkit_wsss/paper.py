"""The papers, and the numbers that are printed for them."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["BACKGROUND_CUES", "METHODS", "POOLNET"]

CARD = Path(__file__).with_name("card.md")

BACKGROUND_CUES = Method(
    name="C2AM background cues",
    title="C2AM: Contrastive learning of Class-agnostic Activation Map for Weakly Supervised Object Localization and "
    "Semantic Segmentation",
    authors="Jinheng Xie, Jianfeng Xiang, Junliang Chen, Xianxu Hou, Xiaodong Zhao, Linlin Shen",
    venue="CVPR",
    year=2022,
    summary="A saliency network learns from refined class-agnostic maps where the background is, and corrects CAMs.",
    configs=("wsss_synthetic", "wsss_voc", "wsss_mobilenetv2_voc"),
    card=CARD,
    reported={
        "VOC2012 mIoU, PSA + C2AM (MoCo, batch 128)": 65.5,
        "VOC2012 mIoU, SC-CAM + C2AM (MoCo, batch 128)": 66.0,
        "VOC2012 mIoU, SEAM + C2AM (MoCo, batch 128)": 63.9,
        "VOC2012 mIoU, PuzzleCAM + C2AM (MoCo, batch 128)": 65.5,
        "VOC2012 mIoU, AdvCAM + C2AM (MoCo, batch 128)": 65.4,
    },
)

POOLNET = Method(
    name="PoolNet",
    title="A Simple Pooling-Based Design for Real-Time Salient Object Detection",
    authors="Jiang-Jiang Liu, Qibin Hou, Ming-Ming Cheng, Jiashi Feng, Jianmin Jiang",
    venue="CVPR",
    year=2019,
    summary="Pyramid pooling guides a top-down pathway whose levels are aggregated at several scales.",
    configs=("wsss_saliency_resnet50_voc", "wsss_saliency_mobilenetv2_voc", "wsss_saliency_synthetic"),
    card=CARD,
)

METHODS = (BACKGROUND_CUES, POOLNET)
