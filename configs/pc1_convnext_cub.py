"""PC1 (Yasuki and Taki, CVPR 2024) on ConvNeXt-B trained as CAM on CUB-200-2011: the map needs no weights of a class.

    wsolkit train pc1_convnext_cub --cfg-options data_root=...

The backbone has timm's ImageNet weights. The paper's learning rates are not known here; these are CAM's.
"""

_base_ = "./cam_resnet50_cub.py"

model = dict(
    backbone=dict(_delete_=True, type="TimmBackbone", name="convnext_base.fb_in1k", levels=["stages.3"]),
    cam_method=dict(type="PC1"),
)
