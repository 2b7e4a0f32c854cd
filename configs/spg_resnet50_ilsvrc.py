"""SPG (Zhang et al. 2018) with ResNet-50 on ILSVRC in the wsolevaluation layout.

torchrun --nproc-per-node 8 -m wsolkit train spg_resnet50_ilsvrc --launcher pytorch --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(
    backbone=dict(levels=["layer2", "layer3", "layer4"]),
    head=dict(_delete_=True, type="SPGHead", levels=["layer2", "layer3", "layer4"], width=1024),
    losses=[dict(type="CrossEntropy"), dict(type="SelfProducedGuidance")],
)
