"""CAM with ResNet-50 on ILSVRC in the wsolevaluation layout, 14 x 14 maps, from ImageNet weights.

torchrun --nproc-per-node 8 -m wsolkit train cam_resnet50_ilsvrc --launcher pytorch --cfg-options data_root=...
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet50.tv_in1k", levels=["layer4"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
