"""CCNN's features under ex-CAM: MobileNetV2 on PASCAL VOC 2012, from ImageNet weights, trained as ex-CAM is.

    wsolkit train ccnn_excam_voc --cfg-options data_root=... weights=...

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["../excam_mobilenetv2_voc.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="CCNNBackbone",
        name="mobilenetv2_100",
        pad_type="same",
        levels=["final"],
        output_stride=16,
    ),
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult={"backbone.amm_stage.gates": 1.0}))  # they start from random numbers
