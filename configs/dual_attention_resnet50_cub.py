"""Dual attention (Fu et al. 2019) with ResNet-50 on CUB-200-2011, from ImageNet weights.

    wsolkit train dual_attention_resnet50_cub --cfg-options data_root=...

It sits behind the last stage, 14 x 14 cells, and starts as the identity.
"""

_base_ = ["./cam_resnet50_cub.py"]

model = dict(modifiers=[dict(type="DualAttention", at="layer4")])
