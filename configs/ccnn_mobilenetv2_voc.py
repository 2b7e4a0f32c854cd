"""CCNN with MobileNetV2 on PASCAL VOC 2012, from ImageNet weights: C2AM on 2,656 channels; no label is used.

    wsolkit train ccnn_mobilenetv2_voc --cfg-options data_root=... weights=...

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["c2am_mobilenetv2_voc.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="CCNNBackbone",
        name="mobilenetv2_100",
        pad_type="same",
        levels=["final"],
        output_stride=16,
    ),
    head=dict(_delete_=True, type="C2AMHead"),  # reads the concatenation
    freeze=[
        "model",
        "amm_stage.parts",
    ],  # as C2AM there: what ImageNet taught stays, the gates and the head are trained
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult={"backbone.amm_stage.gates": 1.0}))  # they start from random numbers
