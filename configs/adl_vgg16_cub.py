"""ADL (Choe and Shim 2019) with VGG16-GAP on CUB-200-2011, from ImageNet weights.

    wsolkit train adl_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

Places, drop rate .75 and threshold .9 as the paper; everything else as cam_vgg16_cub.
"""

_base_ = ["./cam_vgg16_cub.py"]

model = dict(
    modifiers=[dict(type="ADL", at=place, drop_rate=0.75, threshold=0.9) for place in ("pool3", "pool4", "conv5_3")]
)
