"""BAS (Wu, Zhai and Cao 2022) with ResNet-50 on ILSVRC, on the schedule of CAM there.

wsolkit train bas_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = ["cam_resnet50_ilsvrc.py"]

model = dict(
    backbone=dict(levels=["layer3", "layer4"]),
    head=dict(_delete_=True, type="SuppressionHead", level="layer3"),
    losses=[dict(type="CrossEntropy"), dict(type="BackgroundSuppression")],
)
