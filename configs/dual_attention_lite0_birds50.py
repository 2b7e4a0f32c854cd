"""Dual attention (Fu et al. 2019) with EfficientNet-Lite0 on birds50, beside cam_lite0_birds50.

    wsolkit train dual_attention_lite0_birds50 --cfg-options data_root=...

It sits behind the last stage, on 320 channels of 14 x 14 cells, and starts as the identity. Its two scales have no
bound: with the head's learning rate they grow until the loss does, so it has a tenth of that.
"""

_base_ = ["./cam_lite0_birds50.py"]

model = dict(modifiers=[dict(type="DualAttention", at="blocks.6")])
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(feature_modifiers=0.1)))
