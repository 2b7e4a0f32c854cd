"""The paper, and the numbers that are printed for it."""

from __future__ import annotations

from pathlib import Path

from wsolkit import Method

__all__ = ["CAM"]

CAM = Method(
    name="CAM",
    title="Learning Deep Features for Discriminative Localization",
    authors="Bolei Zhou, Aditya Khosla, Agata Lapedriza, Aude Oliva, Antonio Torralba",
    venue="CVPR",
    year=2016,
    summary="Average pooling before the classifier lets its weights turn the last features into a map per class.",
    configs=(
        "cam_synthetic",
        "cam_folder",
        "cam_mobilenetv2_birds50",
        "cam_mobilenetv2_voc",
        "cam_resnet50_cub",
        "cam_vgg16_cub",
        "cam_inceptionv3_cub",
        "cam_resnet50_ilsvrc",
    ),
    card=Path(__file__).with_name("card.md"),
    reported={
        "ILSVRC VGGnet-GAP top-1 loc error": 57.20,
        "ILSVRC VGGnet-GAP top-5 loc error": 45.14,
        "ILSVRC GoogLeNet-GAP top-1 loc error": 56.40,
        "ILSVRC GoogLeNet-GAP top-5 loc error": 43.00,
        "CUB VGG16 top-1 loc error, quoted by CSoA": 55.85,
        "CUB VGG16 top-5 loc error, quoted by CSoA": 47.84,
        "CUB GoogLeNet top-1 loc error, quoted by CSoA": 58.94,
        "CUB GoogLeNet top-5 loc error, quoted by CSoA": 49.34,
        "CUB VGG-GAP top-1 loc error, quoted by the ASS/ADH/RCAM thesis": 66.05,
        "ILSVRC ResNet50 top-1 loc error, quoted by the ASS/ADH/RCAM thesis": 54.65,
        "ILSVRC VGG16 MaxBoxAccV2, wsolevaluation": 60.0,
        "ILSVRC InceptionV3 MaxBoxAccV2, wsolevaluation": 63.4,
        "ILSVRC ResNet50 MaxBoxAccV2, wsolevaluation": 63.7,
        "CUB VGG16 MaxBoxAccV2, wsolevaluation": 63.7,
        "CUB InceptionV3 MaxBoxAccV2, wsolevaluation": 56.7,
        "CUB ResNet50 MaxBoxAccV2, wsolevaluation": 63.0,
        "OpenImages30k VGG16 PxAP, wsolevaluation": 58.3,
        "OpenImages30k InceptionV3 PxAP, wsolevaluation": 63.2,
        "OpenImages30k ResNet50 PxAP, wsolevaluation": 58.5,
    },
)
