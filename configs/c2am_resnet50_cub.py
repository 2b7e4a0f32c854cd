"""C2AM (Xie et al. 2022) with ResNet-50 on CUB-200-2011, from supervised ImageNet weights; no label is used.

    wsolkit train c2am_resnet50_cub --cfg-options data_root=...

``weights="timm"`` downloads torchvision's ImageNet weights through timm; set a local file with weights=PATH. Trained on
224 x 224, evaluated on 448 x 448 as the paper extracts its boxes.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_c2am.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet50.tv_in1k", levels=["layer3", "layer4"], output_stride=16),
    head=dict(type="C2AMHead", levels=["layer4", "layer3"]),
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
train_dataloader = dict(batch_size=16, drop_last=True)
val_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
test_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
train_cfg = dict(max_epochs=20)
sync_bn = "torch"  # with several GPUs, batch statistics of the whole batch, as the loss
