"""SPG (Zhang et al. 2018) with ResNet-50 on CUB-200-2011.

wsolkit train spg_resnet50_cub --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_cub.py"

model = dict(
    backbone=dict(levels=["layer2", "layer3", "layer4"]),
    head=dict(_delete_=True, type="SPGHead", levels=["layer2", "layer3", "layer4"], width=1024),
    losses=[dict(type="CrossEntropy"), dict(type="SelfProducedGuidance")],
)
