"""EIL (Mai, Yang and Luo 2020) with ResNet-50 on ILSVRC, on the schedule of CAM there.

wsolkit train eil_resnet50_ilsvrc --cfg-options data_root=...
"""

_base_ = ["cam_resnet50_ilsvrc.py"]

model = dict(
    backbone=dict(levels=["layer3", "layer4"]),
    head=dict(
        _delete_=True, type="ErasedPasses", head=dict(type="CAMHead", form="linear"), levels=["layer3"], threshold=0.7
    ),
    losses=[dict(type="CrossEntropy"), dict(type="CrossEntropy", logits="erased_logits", name="erased")],
)
