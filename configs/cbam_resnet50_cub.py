"""CBAM (Woo et al. 2018) with ResNet-50 on CUB-200-2011, from ImageNet weights.

    wsolkit train cbam_resnet50_cub --cfg-options data_root=...

It sits behind the last two stages and starts as the identity; the paper has one in every block, trained from scratch.
"""

_base_ = ["./cam_resnet50_cub.py"]

model = dict(modifiers=[dict(type="CBAM", at=place) for place in ("layer3", "layer4")])
