"""Spatial dropout (Tompson et al. 2015) with ResNet-50 on CUB-200-2011, from ImageNet weights.

    wsolkit train spatial_dropout_resnet50_cub --cfg-options data_root=...

It sits on the features that the classifier reads.
"""

_base_ = ["./cam_resnet50_cub.py"]

model = dict(modifiers=[dict(type="SpatialDropout", drop_prob=0.5, at="layer4")])
