"""ACoL (Zhang et al. 2018) with ResNet-50 on ILSVRC in the wsolevaluation layout.

torchrun --nproc-per-node 8 -m wsolkit train acol_resnet50_ilsvrc --launcher pytorch --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_ilsvrc.py"

model = dict(
    head=dict(_delete_=True, type="ACoLHead", threshold=0.6),
    losses=[dict(type="CrossEntropy"), dict(type="CrossEntropy", logits="second_logits", name="second")],
    cam_method=dict(type="SecondLook"),
)
