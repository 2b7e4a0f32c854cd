"""CCNN (Wang) with ResNet-50 on CUB-200-2011, from supervised ImageNet weights: C2AM on 5,120 channels, without labels.

    wsolkit train ccnn_resnet50_cub --cfg-options data_root=...

``weights="timm"`` downloads torchvision's ImageNet weights through timm; set a local file with weights=PATH. With MoCo
v2 or DetCo weights alpha is .75: --cfg-options weights=PATH model.losses.0.alpha=0.75
"""

_base_ = ["c2am_resnet50_cub.py"]

model = dict(
    backbone=dict(_delete_=True, type="CCNNBackbone", name="resnet50.tv_in1k"),
    head=dict(_delete_=True, type="C2AMHead"),  # reads the concatenation
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
)
train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=10)
