"""ADL (Choe and Shim 2019) with ResNet-50 on CUB-200-2011, from ImageNet weights.

    wsolkit train adl_resnet50_cub --cfg-options data_root=...

Places, drop rate .75 and threshold .9 as the authors' code; everything else as cam_resnet50_cub.
"""

_base_ = ["./cam_resnet50_cub.py"]

model = dict(
    modifiers=[
        dict(type="ADL", at=place, drop_rate=0.75, threshold=0.9) for place in ("layer3.0", "layer4.0", "layer4")
    ]
)
