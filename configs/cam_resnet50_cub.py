"""CAM (Zhou et al. 2016) with ResNet-50 on CUB-200-2011, 14 x 14 maps, from ImageNet weights.

    wsolkit train cam_resnet50_cub --cfg-options data_root=...

``weights="timm"`` downloads torchvision's ImageNet weights through timm; set a local file with weights=PATH.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet50.tv_in1k", levels=["layer4"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
train_cfg = dict(max_epochs=50)
