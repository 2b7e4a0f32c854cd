"""CAM on your own folder of labelled photographs.

    wsolkit train cam_folder --cfg-options data_root=photos

``weights="timm"`` downloads ImageNet weights through timm; without a network set a local file with weights=PATH, or
weights=None to start from scratch. The number of classes is read from the folder.
"""

_base_ = ["_base_/folder.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet18.tv_in1k", levels=["layer4"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
