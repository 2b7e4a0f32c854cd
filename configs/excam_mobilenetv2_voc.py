"""ex-CAM with MobileNetV2 on PASCAL VOC 2012, from ImageNet weights, on the schedule of WILDCAT there.

    wsolkit train excam_mobilenetv2_voc --cfg-options data_root=... weights=...

model.modifiers.0.variant=literal drops as the dissertation prints it.
The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["wildcat_mobilenetv2_voc.py"]

model = dict(
    head=dict(pooling=dict(alpha=0.6)),
    modifiers=[
        dict(type="SequentialDrop", at="maps", variant="fixed"),
        dict(type="ScaleGradient", at="maps"),
    ],
)
