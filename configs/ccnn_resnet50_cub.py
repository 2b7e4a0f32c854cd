"""CCNN (Wang) with ResNet-50 on CUB-200-2011, from supervised ImageNet weights: C2AM on 5,120 channels, without labels.

    wsolkit train ccnn_resnet50_cub --cfg-options data_root=...

``weights="timm"`` downloads torchvision's ImageNet weights through timm; set a local file with weights=PATH. With MoCo
v2 or DetCo weights alpha is .75: --cfg-options weights=PATH model.losses.0.alpha=0.75
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_c2am.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="CCNNBackbone", name="resnet50.tv_in1k"),
    head=dict(type="C2AMHead"),  # reads the concatenation
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
train_dataloader = dict(batch_size=16, drop_last=True)
val_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
test_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=10)
sync_bn = "torch"  # with several GPUs, batch statistics of the whole batch, as the loss
