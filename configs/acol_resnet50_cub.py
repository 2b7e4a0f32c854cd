"""ACoL (Zhang et al. 2018) with ResNet-50 on CUB-200-2011.

wsolkit train acol_resnet50_cub --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_cub.py"

model = dict(
    head=dict(_delete_=True, type="ACoLHead", threshold=0.6),
    losses=[dict(type="CrossEntropy"), dict(type="CrossEntropy", logits="second_logits", name="second")],
    cam_method=dict(type="SecondLook"),
)
