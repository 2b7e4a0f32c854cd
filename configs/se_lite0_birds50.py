"""Squeeze and excitation (Hu et al. 2018) with EfficientNet-Lite0 on birds50, beside cam_lite0_birds50.

    wsolkit train se_lite0_birds50 --cfg-options data_root=...

It sits behind the last stage, on 320 channels of 14 x 14 cells, and starts as the identity.
"""

_base_ = ["./cam_lite0_birds50.py"]

model = dict(modifiers=[dict(type="SqueezeExcite", at="blocks.6")])
