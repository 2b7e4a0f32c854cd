"""CCNN's features under the plain CAM head: MobileNetV2 on birds50, from ImageNet weights, trained as CAM is.

    wsolkit train ccnn_cam_birds50 --cfg-options data_root=... weights=...

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["../cam_mobilenetv2_birds50.py"]

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
