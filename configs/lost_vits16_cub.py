"""LOST (Simeoni et al. 2021) on DINO's ViT-S/16, CUB-200-2011: nothing is trained.

    wsolkit test lost_vits16_cub --cfg-options data_root=...

``weights="timm"`` downloads DINO's weights through timm; set a local file with weights=PATH.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="vit_small_patch16_224.dino", levels=["blocks.11.keys"]),
    head=dict(type="FeatureHead"),
    cam_method=dict(type="LOSTMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.5),
)
