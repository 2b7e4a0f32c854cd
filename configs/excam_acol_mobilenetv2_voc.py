"""A second WILDCAT on images without what a first one found, with MobileNetV2 on VOC 2012 (ex-CAM, section 3.8.2).

    wsolkit train wildcat_mobilenetv2_voc --cfg-options data_root=... weights=...
    wsolkit train excam_acol_mobilenetv2_voc --cfg-options data_root=... weights=...

The first classifier is another one with model.modifiers.0.checkpoint=PATH, a file that a training of wsolkit left with
its config.py beside it. Training and prediction need that file. The pooling is WILDCAT's (alpha .7), for both.
The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["wildcat_mobilenetv2_voc.py"]

first = "work_dirs/wildcat_mobilenetv2_voc/best.pth"

model = dict(
    modifiers=[
        dict(type="EraseFound", at="image", checkpoint=first, threshold=0.6),
        dict(type="ScaleGradient", at="maps"),
    ],
    cam_method=dict(type="AverageWithFirst"),  # reads the first classifier from EraseFound
)
