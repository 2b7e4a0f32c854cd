"""TokenCut (Wang et al. 2022) on DINO's ViT-S/16, ILSVRC in the wsolevaluation layout: nothing is trained.

    wsolkit test tokencut_vits16_ilsvrc --cfg-options data_root=...

``weights="timm"`` downloads DINO's weights through timm; set a local file with weights=PATH.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="vit_small_patch16_224.dino", levels=["blocks.11.keys"]),
    head=dict(type="FeatureHead"),
    cam_method=dict(type="TokenCutMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.5),
)
