"""WILDCAT with ADL on its maps, with MobileNetV2 on PASCAL VOC 2012 (ex-CAM, section 3.8.3).

    wsolkit train excam_adl_mobilenetv2_voc --cfg-options data_root=... weights=...

The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["wildcat_mobilenetv2_voc.py"]

model = dict(
    head=dict(pooling=dict(alpha=0.6)),
    modifiers=[
        dict(type="ImportanceOrDrop", at="maps", threshold=0.5, drop_prob=0.5, per="map"),
        dict(type="ScaleGradient", at="maps"),
    ],
)
