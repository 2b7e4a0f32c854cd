"""WILDCAT with MobileNetV2 on PASCAL VOC 2012, from ImageNet weights, on the schedule of CAM there.

    wsolkit train wildcat_mobilenetv2_voc --cfg-options data_root=... weights=...

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["cam_mobilenetv2_voc.py"]

model = dict(
    head=dict(
        _delete_=True,
        type="ConvHead",
        maps_per_class=8,
        pooling=dict(type="WildcatPooling", kmax=0.2, kmin=0.2, alpha=0.7),
    ),
    modifiers=[dict(type="ScaleGradient", at="maps")],
)
